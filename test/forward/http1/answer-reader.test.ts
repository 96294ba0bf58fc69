import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AnswerReader } from '../../../src/forward/http1/answer-reader.ts';
import { readWhole, type ReadAnswer, type ReadOptions } from './read-whole.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/** The same whole, octet by octet and in threes; nothing may depend on it. */
function readInPieces(text: string, options: ReadOptions = {}): ReadAnswer {
  const whole = readWhole(text, options);
  for (const pieceLength of [1, 3, 7]) {
    assert.deepEqual(readWhole(text, { ...options, pieceLength }), whole);
  }
  return whole;
}

describe('answers that are read', () => {
  const rows: readonly [what: string, text: string, expected: Partial<ReadAnswer>, ReadOptions?][] =
    [
      ['a length', `${OK}Content-Length: 2\r\n\r\nok`, { status: 200, body: 'ok', saidLast: true }],
      ['a length of 0', `${OK}Content-Length: 0\r\n\r\n`, { body: '' }],
      ['a length with zeros in front', `${OK}Content-Length: 002\r\n\r\nok`, { body: 'ok' }],
      ['no reason', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', { status: 200 }],
      ['a reason in UTF-8', 'HTTP/1.1 200 \xc3\xa9\r\nContent-Length: 0\r\n\r\n', { status: 200 }],
      ['chunks', `${CHUNKED}2\r\nok\r\nA\r\n0123456789\r\n0\r\n\r\n`, { body: 'ok0123456789', saidLast: false }],
      ['chunk extensions', `${CHUNKED}2;a;b=c;d="e\\";f"\r\nok\r\n0;g\r\n\r\n`, { body: 'ok' }],
      ['trailers', `${CHUNKED}2\r\nok\r\n0\r\nA: b\r\nC:\r\n\r\n`, { body: 'ok' }],
      ['chunked in capitals', `${OK}Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`, { body: '' }],
      ['the end of the connection', `${OK}\r\nok`, { body: 'ok', keepForMs: 0, saidLast: false }, { closes: true }],
      ['204', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204 }],
      ['304 with a length', 'HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n', { status: 304 }],
      ['HEAD', `${OK}Content-Length: 5\r\n\r\n`, { body: '' }, { method: 'HEAD' }],
      ['HEAD of chunks', CHUNKED, { body: '' }, { method: 'HEAD' }],
      ['interim answers', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: a\r\n\r\n${OK}Content-Length: 0\r\n\r\n`, { status: 200, headers: ['content-length', '0'] }],
      ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', { keepForMs: 0 }],
      ['repeated fields and odd values', `${OK}Set-Cookie: a=1\r\nSET-COOKIE: \t b=2 \t\r\nX:\r\nY: \x80\xff\r\nContent-Length: 0\r\n\r\n`, { headers: ['set-cookie', 'a=1', 'set-cookie', 'b=2', 'x', '', 'y', '\x80\xff', 'content-length', '0'] }],
      ['what follows is not part of it', `${OK}Content-Length: 2\r\n\r\nokHTTP/1.1 200`, { body: 'ok', rest: 'HTTP/1.1 200' }],
      ['what follows chunks is not part of them', `${CHUNKED}0\r\n\r\nx`, { rest: 'x' }],
      ['a close', `${OK}Connection: close\r\nContent-Length: 0\r\n\r\n`, { keepForMs: 0 }],
      ['a promise', `${OK}Keep-Alive: timeout=3\r\nContent-Length: 0\r\n\r\n`, { keepForMs: 2000 }],
      ['the time an unused connection is kept', `${OK}Content-Length: 0\r\n\r\n`, { keepForMs: 4000 }],
    ]; // prettier-ignore
  for (const [what, text, expected, options = {}] of rows) {
    test(what, () => {
      const answer = readInPieces(text, options);
      assert.equal(answer.state, 'complete', answer.fault);
      for (const [name, value] of Object.entries(expected)) {
        assert.deepEqual(answer[name as keyof ReadAnswer], value);
      }
    });
  }
});

describe('answers that are refused', () => {
  const fields = (lines: string): string => `${OK}${lines}\r\n\r\n`;
  const rows: readonly [what: string, text: string, fault: RegExp, ReadOptions?][] = [
    ['another protocol', 'SSH-2.0-OpenSSH', /status line/],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n', /status line/],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n', /status line/],
    ['small letters', 'http/1.1 200 OK\r\n\r\n', /status line/],
    ['an empty line first', '\r\nHTTP/1.1 200 OK\r\n\r\n', /status line/],
    ['no space after the status', 'HTTP/1.1 200\r\n\r\n', /status line/],
    ['two spaces', 'HTTP/1.1  200 OK\r\n\r\n', /status line/],
    ['a status of two digits', 'HTTP/1.1 99 OK\r\n\r\n', /status line/],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', /status line/],
    ['status 099', 'HTTP/1.1 099 OK\r\n\r\n', /status line/],
    ['status 600', 'HTTP/1.1 600 OK\r\n\r\n', /status line/],
    ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n', /control character/],
    ['a bare line feed after the status', 'HTTP/1.1 200 OK\nA: b\r\n\r\n', /control character/],
    ['a bare line feed after a field', fields('A: b\nC: d'), /control character/],
    ['a bare carriage return', fields('A: b\rC: d'), /carriage return/],
    ['a bare line feed at the end', `${OK}A: b\r\n\n`, /no token/],
    ['a bare carriage return at the end', `${OK}A: b\r\n\rx`, /carriage return/],
    ['a folded line', fields('A: b\r\n c'), /folded/],
    ['a line folded with a tab', fields('A: b\r\n\tc'), /folded/],
    ['a space before the colon', fields('A : b'), /no token/],
    ['a field without a colon', fields('A'), /no token/],
    ['a field without a name', fields(': b'), /no token/],
    ['a name in UTF-8', fields('\xc3\xa9: b'), /no token/],
    ['NUL in a value', fields('A: b\0'), /control character/],
    ['DEL in a value', fields('A: \x7f'), /control character/],
    ['too many fields', fields(Array.from({ length: 21 }, () => 'A: b').join('\r\n')), /over 20/],
    ['too long a head', fields(`A: ${'b'.repeat(2000)}`), /over 2000 octets/],
    ['too long a head, unfinished', `${OK}A: ${'b'.repeat(2000)}`, /over 2000 octets/],
    ['two different lengths', fields('Content-Length: 2\r\nContent-Length: 3'), /two Content-L/],
    ['two equal lengths', fields('Content-Length: 2\r\nContent-Length: 2'), /two Content-L/],
    ['a list of lengths', fields('Content-Length: 2, 2'), /no number/],
    ['a signed length', fields('Content-Length: +2'), /no number/],
    ['a negative length', fields('Content-Length: -2'), /no number/],
    ['a hexadecimal length', fields('Content-Length: 0x2'), /no number/],
    ['an empty length', fields('Content-Length:'), /no number/],
    ['a huge length', fields('Content-Length: 9999999999999999'), /no number/],
    ['a bad length in an answer to HEAD', fields('Content-Length: x'), /no number/, { method: 'HEAD' }],
    ['both framings', fields('Content-Length: 2\r\nTransfer-Encoding: chunked'), /both/],
    ['both framings, the other way round', fields('Transfer-Encoding: chunked\r\nContent-Length: 2'), /both/],
    ['a coding twice', fields('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'), /two Tr/],
    ['gzip', fields('Transfer-Encoding: gzip, chunked'), /other than chunked/],
    ['xchunked', fields('Transfer-Encoding: xchunked'), /other than chunked/],
    ['identity', fields('Transfer-Encoding: identity'), /other than chunked/],
    ['an empty coding', fields('Transfer-Encoding:'), /other than chunked/],
    ['a parameter of chunked', fields('Transfer-Encoding: chunked;q=1'), /other than chunked/],
    ['\u017f for s', 'HTTP/1.1 200 OK\r\nTran\xc5\xbffer-Encoding: chunked\r\n\r\n', /no token/],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', /HTTP\/1\.0/],
    ['chunks in 204', 'HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n', /without a body/],
    ['a switch of protocols', 'HTTP/1.1 101 x\r\nUpgrade: x\r\n\r\n', /switch/],
    ['an interim answer with a length', 'HTTP/1.1 102 x\r\nContent-Length: 0\r\n\r\n', /with a body/],
    ['an interim answer in chunks', 'HTTP/1.1 103 x\r\nTransfer-Encoding: chunked\r\n\r\n', /with a body/],
    ['an interim answer that closes', 'HTTP/1.1 102 x\r\nConnection: close\r\n\r\n', /ends the/],
    ['an interim answer of HTTP/1.0', 'HTTP/1.0 102 x\r\n\r\n', /ends the/],
    ['interim answers without end', 'HTTP/1.1 102 x\r\n\r\n'.repeat(40), /too many interim/],
    ['a chunk size that is none', `${CHUNKED}x\r\n`, /size that is no number/],
    ['no chunk size', `${CHUNKED}\r\n`, /size that is no number/],
    ['a negative chunk size', `${CHUNKED}-1\r\n`, /size that is no number/],
    ['a chunk size with 0x', `${CHUNKED}0x1\r\n`, /size that is no number/],
    ['a space before a chunk size', `${CHUNKED} 1\r\n`, /size that is no number/],
    ['a space after a chunk size', `${CHUNKED}1 \r\n`, /size that is no number/],
    ['a chunk size of many digits', `${CHUNKED}0000000000001\r\n`, /too many digits/],
    ['a bare line feed after a chunk size', `${CHUNKED}1\nx`, /size that is no number/],
    ['a bare carriage return after a chunk size', `${CHUNKED}1\rx`, /carriage return/],
    ['a bare line feed after a chunk', `${CHUNKED}1\r\nx\n`, /longer than its size/],
    ['a chunk that is too long', `${CHUNKED}1\r\nxx\r\n`, /longer than its size/],
    ['a bare carriage return after a chunk', `${CHUNKED}1\r\nx\rx`, /carriage return/],
    ['an extension without a name', `${CHUNKED}1;\r\n`, /extension/],
    ['an extension with a space', `${CHUNKED}1;a b\r\n`, /extension/],
    ['an extension with a line feed', `${CHUNKED}1;a\n`, /extension/],
    ['a line feed in a quoted extension', `${CHUNKED}1;a="\n"\r\n`, /extension/],
    ['a carriage return in a quoted extension', `${CHUNKED}1;a="\r\n0\r\n\r\n`, /extension/],
    ['too long an extension', `${CHUNKED}1;${'a'.repeat(2000)}\r\n`, /over 1024/],
    ['a folded trailer', `${CHUNKED}0\r\nA: b\r\n c\r\n\r\n`, /folded/],
    ['a trailer with a bare line feed', `${CHUNKED}0\r\nA: b\n\r\n`, /control character/],
    ['a length among the trailers', `${CHUNKED}0\r\nA: b\r\nContent-Length: 3\r\n\r\n`, /frame/],
    ['a transfer coding among the trailers', `${CHUNKED}0\r\nTransfer-Encoding: chunked\r\n\r\n`, /frame/],
    ['too many trailers', `${CHUNKED}0\r\n${'A: b\r\n'.repeat(21)}`, /over 20/],
    ['too long trailers', `${CHUNKED}0\r\nA: ${'b'.repeat(2000)}`, /over 2000/],
  ]; // prettier-ignore
  for (const [what, text, fault, options = {}] of rows) {
    test(what, () => {
      const answer = readInPieces(text, options);
      assert.equal(answer.state, 'faulty');
      assert.match(answer.fault, fault);
    });
  }

  test('as soon as the octet is there that can not be, however little has come', () => {
    assert.equal(readWhole('HTTQ').state, 'faulty');
    assert.equal(readWhole(`${OK}A\n`).state, 'faulty');
  });
});

describe('answers that are not over', () => {
  const rows: readonly [text: string, state: string][] = [
    ['', 'head'],
    [OK, 'head'],
    [`${OK}Content-Length: 2\r\n\r\no`, 'length'],
    [`${CHUNKED}2\r\nok\r\n0\r\n`, 'chunked'],
    [`${CHUNKED}2\r\nok\r\n0\r\nA: b\r\n`, 'chunked'],
  ];
  for (const [text, state] of rows) {
    test(`${JSON.stringify(text)}, even when the connection ends`, () =>
      assert.equal(readInPieces(text, { closes: true }).state, state));
  }
});

test('after a pause reading goes on where it stopped', () => {
  const reader = new AnswerReader({ maxHeaderBytes: 99, maxHeaderFields: 9, idleTimeoutMs: 1 });
  let body = '';
  reader.begin('GET', {
    onHead: () => undefined,
    onData(piece) {
      body += Buffer.from(piece).toString('latin1');
      return false;
    },
  });
  const octets = Buffer.from(`${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`);
  let at = reader.push(octets, 0, octets.length);
  assert.deepEqual([body, reader.isPaused], ['a', true]);
  at = reader.push(octets, at, octets.length);
  assert.deepEqual([body, reader.isPaused], ['ab', true]);
  at = reader.push(octets, at, octets.length);
  assert.deepEqual([reader.state, reader.isPaused, at], ['complete', false, octets.length]);
});

test('nothing more is reported once it was stopped, even within a piece', () => {
  const reader = new AnswerReader({ maxHeaderBytes: 99, maxHeaderFields: 9, idleTimeoutMs: 1 });
  let pieces = 0;
  reader.begin('GET', {
    onHead: () => undefined,
    onData() {
      pieces += 1;
      reader.stop();
      return true;
    },
  });
  const octets = Buffer.from(`${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`);
  reader.push(octets, 0, octets.length);
  assert.deepEqual([pieces, reader.state], [1, 'stopped']);
});

test('an answer that differs in one octet from the one before is read as if there had been none', () => {
  const answer =
    `${OK}Content-Type: application/json\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n` +
    'Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nMcp-Session-Id: abc\r\nContent-Length: 2\r\n\r\nok';
  for (let at = 0; at < answer.length; at += 1) {
    for (const octet of ['\r', '\n', '\0', ' ', '\t', ':', '0', '4', 'X', '\xff', '']) {
      // Compares with a reader that knows nothing; the one that does has just read this.
      assert.equal(readWhole(answer).state, 'complete');
      readWhole(answer.slice(0, at) + octet + answer.slice(at + 1));
    }
  }
});

test('what one answer says is not in the next one', () => {
  const secret = `${OK}Mcp-Session-Id: secret\r\nSet-Cookie: secret\r\nContent-Length: 0\r\n\r\n`;
  assert.equal(readWhole(secret).headers.length, 6);
  const { headers } = readWhole(
    `${OK}mcp-session-id:\r\nSet-Cookie: x\r\nContent-Length: 0\r\n\r\n`,
  );
  assert.deepEqual(headers, ['mcp-session-id', '', 'set-cookie', 'x', 'content-length', '0']);
});
