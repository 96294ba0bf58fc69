/** Line ends, request lines, lengths, transfer codings, chunks. */
import { atMostOnce, dropped, forwarded, get, post, refused, type HostileRow } from './row.ts';

const SMUGGLED = 'GET /open/smuggled HTTP/1.1\r\nhost: gate.test\r\n\r\n';
const UP = 'POST /open/x HTTP/1.1';
const chunked = (body: string, coding = 'chunked'): string =>
  post(`transfer-encoding: ${coding}\r\n`, body);

export const framingRows: readonly HostileRow[] = [
  // Line ends.
  row('bare LF after the request line', 'GET /open/x HTTP/1.1\nhost: gate.test\r\n\r\n', dropped),
  row('bare LF between fields', 'GET /open/x HTTP/1.1\r\nhost: gate.test\nx-a: b\r\n\r\n', dropped),
  row('bare LF at the end', 'GET /open/x HTTP/1.1\r\nhost: gate.test\n\n', dropped),
  row('bare CR within a field', get('/open/x', 'x-a: b\rx-c: d\r\n'), dropped),
  row('CR CR LF', 'GET /open/x HTTP/1.1\r\r\nhost: gate.test\r\r\n\r\r\n', dropped),
  row('LF CR', 'GET /open/x HTTP/1.1\n\rhost: gate.test\n\r\n\r', dropped),
  row('a folded field', get('/open/x', 'x-a: b\r\n c\r\n'), dropped),
  row('a folded field with a tab', get('/open/x', 'x-a: b\r\n\tc\r\n'), dropped),
  row(
    'a first field that is folded',
    'GET /open/x HTTP/1.1\r\n x: y\r\nhost: gate.test\r\n\r\n',
    dropped,
  ),
  row('vertical tab for a space', 'GET\x0b/open/x\x0bHTTP/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row('form feed for a space', 'GET\x0c/open/x\x0cHTTP/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row('tabs for spaces', 'GET\t/open/x\tHTTP/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row('two spaces before the target', 'GET  /open/x HTTP/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row('two spaces before the version', 'GET /open/x  HTTP/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row('a space at the line end', 'GET /open/x HTTP/1.1 \r\nhost: gate.test\r\n\r\n', dropped),
  row('a NUL in the request line', 'GET /open/\0x HTTP/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row('a NUL in a name', get('/open/x', 'x\0a: b\r\n'), dropped),
  row('a NUL in a value', get('/open/x', 'x-a: b\0c\r\n'), dropped),
  row('DEL in a value', get('/open/x', 'x-a: b\x7fc\r\n'), dropped),
  row('an escape in a value', get('/open/x', 'x-a: \x1b[31m\r\n'), dropped),

  // Versions and request lines.
  row('HTTP/0.9', 'GET /open/x\r\n\r\n', dropped),
  row('HTTP/1.2', 'GET /open/x HTTP/1.2\r\nhost: gate.test\r\n\r\n', dropped),
  row('HTTP/2.0', 'GET /open/x HTTP/2.0\r\nhost: gate.test\r\n\r\n', dropped),
  row('HTTP/11', 'GET /open/x HTTP/11\r\nhost: gate.test\r\n\r\n', dropped),
  row('http in lower case', 'GET /open/x http/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row('HTTP/1.10', 'GET /open/x HTTP/1.10\r\nhost: gate.test\r\n\r\n', dropped),
  row('HTTP/01.1', 'GET /open/x HTTP/01.1\r\nhost: gate.test\r\n\r\n', dropped),
  row('a method in lower case', 'get /open/x HTTP/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row('a method with a slash', 'GE/T /open/x HTTP/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row(
    'a method of 40 letters',
    `${'A'.repeat(40)} /open/x HTTP/1.1\r\nhost: gate.test\r\n\r\n`,
    dropped,
  ),
  row('no method', ' /open/x HTTP/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row('a method alone', 'GET\r\nhost: gate.test\r\n\r\n', dropped),
  row('CONNECT to a port', 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: 127.0.0.1:22\r\n\r\n', dropped),
  row('CONNECT to a path', 'CONNECT /open/x HTTP/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row('TRACE', 'TRACE /open/x HTTP/1.1\r\nhost: gate.test\r\n\r\n', dropped),
  row(
    'TRACK',
    'TRACK /open/x HTTP/1.1\r\nhost: gate.test\r\n\r\n',
    forwarded('TRACK /open/x HTTP/1.1'),
  ),
  row('the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', dropped),
  row('a TLS hello', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n', dropped),
  row('an SSH banner', 'SSH-2.0-x\r\n\r\n', dropped),
  row('SMTP', 'HELO x\r\nMAIL FROM:<a@b>\r\n\r\n', dropped),
  row('a PROXY header in front', `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${get('/open/x')}`, dropped),

  // Lengths.
  row(
    'two lengths that differ',
    post('content-length: 2\r\ncontent-length: 3\r\n', '{} '),
    dropped,
  ),
  row('two lengths that agree', post('content-length: 2\r\ncontent-length: 2\r\n', '{}'), dropped),
  row('two lengths in one field', post('content-length: 2, 2\r\n', '{}'), dropped),
  row('a negative length', post('content-length: -2\r\n', '{}'), dropped),
  row('a signed length', post('content-length: +2\r\n', '{}'), dropped),
  row('a hexadecimal length', post('content-length: 0x2\r\n', '{}'), dropped),
  row('a fractional length', post('content-length: 2.0\r\n', '{}'), dropped),
  row('an exponent', post('content-length: 2e0\r\n', '{}'), dropped),
  row('spaces within a length', post('content-length: 1 0\r\n', '{}        '), dropped),
  row('an empty length', post('content-length: \r\n', ''), dropped),
  row('no number', post('content-length: two\r\n', '{}'), dropped),
  row('a length in other digits', post('content-length: \xef\xbc\x92\r\n', '{}'), dropped),
  row('a length of 2^64 and 2', post('content-length: 18446744073709551618\r\n', '{}'), dropped),
  row('a length of 2^63', post('content-length: 9223372036854775808\r\n', '{}'), dropped),
  row('a length over the limit', post('content-length: 999999999\r\n', ''), refused(413)),
  row('leading zeros', post('content-length: 002\r\n', '{}'), forwarded(UP, '{}')),
  row('a space before the colon', post('content-length : 2\r\n', '{}'), dropped),
  row('a tab before the colon', post('content-length\t: 2\r\n', '{}'), dropped),
  row('an underscore for the hyphen', post('content_length: 40\r\n', ''), atMostOnce(UP)),

  // Transfer codings.
  row(
    'length and chunked',
    post('content-length: 4\r\ntransfer-encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    dropped,
  ),
  row(
    'chunked and length',
    post('transfer-encoding: chunked\r\ncontent-length: 4\r\n', `0\r\n\r\n${SMUGGLED}`),
    dropped,
  ),
  row(
    'length 0 and chunked',
    post('content-length: 0\r\ntransfer-encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    dropped,
  ),
  row('xchunked', chunked('0\r\n\r\n', 'xchunked'), dropped),
  row('chunkedx', chunked('0\r\n\r\n', 'chunkedx'), dropped),
  row('identity', chunked('0\r\n\r\n', 'identity'), dropped),
  row('gzip, chunked', chunked('0\r\n\r\n', 'gzip, chunked'), dropped),
  row('chunked, gzip', chunked('0\r\n\r\n', 'chunked, gzip'), dropped),
  row('chunked, chunked', chunked('0\r\n\r\n', 'chunked, chunked'), dropped),
  row('chunked in quotes', chunked('0\r\n\r\n', '"chunked"'), dropped),
  row('chunked with a parameter', chunked('0\r\n\r\n', 'chunked;q=1'), dropped),
  row('chunked behind a vertical tab', chunked('0\r\n\r\n', '\x0bchunked'), dropped),
  row('chunked before a NUL', chunked('0\r\n\r\n', 'chunked\0'), dropped),
  row('an empty coding', chunked('0\r\n\r\n', ''), dropped),
  row('a comma alone', chunked('0\r\n\r\n', ','), dropped),
  row(
    'two codings',
    post('transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n', '0\r\n\r\n'),
    dropped,
  ),
  row(
    'two codings that agree',
    post('transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n', '0\r\n\r\n'),
    dropped,
  ),
  row(
    'a space before the colon of a coding',
    post('transfer-encoding : chunked\r\n', '0\r\n\r\n'),
    dropped,
  ),
  row(
    'an underscore in Transfer_Encoding',
    post('transfer_encoding: chunked\r\ncontent-length: 2\r\n', '{}'),
    atMostOnce(UP, '{}'),
    /transfer.encoding/i,
  ),
  row('Chunked in other letters', chunked('2\r\n{}\r\n0\r\n\r\n', 'Chunked'), forwarded(UP, '{}')),

  // Chunks.
  row('good chunks', chunked('1\r\n{\r\n1\r\n}\r\n0\r\n\r\n'), forwarded(UP, '{}')),
  row('a chunk size with leading zeros', chunked('0002\r\n{}\r\n0\r\n\r\n'), forwarded(UP, '{}')),
  row('a chunk size in hexadecimal prefix', chunked('0x2\r\n{}\r\n0\r\n\r\n'), dropped),
  row('a signed chunk size', chunked('+2\r\n{}\r\n0\r\n\r\n'), dropped),
  row('a negative chunk size', chunked('-1\r\n{}\r\n0\r\n\r\n'), dropped),
  // The native server takes a space for a chunk of no length, and the rest for another request, over which it
  // closes the connection while the first is not answered.
  row('a space before a chunk size', chunked(' 2\r\n{}\r\n0\r\n\r\n'), atMostOnce(UP)),
  row('a request behind a space for a chunk size', chunked(` \r\n${SMUGGLED}`), atMostOnce(UP)),
  row('a request behind no chunk size', chunked(`\r\n${SMUGGLED}`), atMostOnce(UP)),
  row('no chunk size', chunked('\r\n{}\r\n0\r\n\r\n'), dropped),
  row('letters beyond f', chunked('2g\r\n{}\r\n0\r\n\r\n'), dropped),
  row('a chunk size that overflows', chunked('10000000000000002\r\n{}\r\n0\r\n\r\n'), dropped),
  row('a chunk size of 32 digits', chunked(`${'f'.repeat(32)}\r\n{}`), dropped),
  // The native server takes these. What it made of the body goes up, framed anew by its length.
  row('a chunk size ended by a bare LF', chunked('2\n{}\r\n0\r\n\r\n'), atMostOnce(UP, '{}')),
  row('a chunk that is longer than it says', chunked('1\r\n{}\r\n0\r\n\r\n'), atMostOnce(UP, '{')),
  row('a last chunk without its end', chunked('2\r\n{}\r\n0\r\n'), atMostOnce(UP, '{}')),

  // Where a request ends is not sure: what stands behind it is not read as another.
  row('a request behind xchunked', chunked(`0\r\n\r\n${SMUGGLED}`, 'xchunked'), dropped),
  row('a request behind identity', chunked(SMUGGLED, 'identity'), dropped),
  row(
    'a request behind two lengths, the first 0',
    post('content-length: 0\r\ncontent-length: 49\r\n', SMUGGLED),
    dropped,
  ),
  row(
    'a request behind two lengths, the second 0',
    post('content-length: 49\r\ncontent-length: 0\r\n', SMUGGLED),
    dropped,
  ),
];

function row(
  name: string,
  octets: string,
  outcome: HostileRow['outcome'],
  neverUp?: RegExp,
): HostileRow {
  return { name, octets, outcome, ...(neverUp === undefined ? {} : { neverUp }) };
}
