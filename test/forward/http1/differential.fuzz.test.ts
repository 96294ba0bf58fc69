/**
 * Whatever an upstream says: what our client takes for a whole answer, undici (llhttp) takes for the same one.
 * What only undici accepts is our strictness, and no finding.
 *
 *   POSTERN_FUZZ_SECONDS=600 node --import tsx --test test/forward/http1/differential.fuzz.test.ts
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createHttp1Upstream } from '../../../src/forward/http1/http1-upstream.ts';
import { createUndiciUpstream } from '../../../src/forward/undici-upstream.ts';
import type { UpstreamRequest } from '../../../src/forward/upstream.ts';
import { fileScope } from '../../harness/scope.ts';
import {
  get,
  send,
  startRawUpstream,
  targetAt,
  upstreamTo,
  type CreateUpstream,
} from '../raw-upstream.ts';
import { corpus } from './corpus.ts';

const FUZZ_MS = Number(process.env.POSTERN_FUZZ_SECONDS ?? '1.5') * 1000;

interface Case {
  readonly method: string;
  /** What the upstream writes, one character for each octet, before it closes. */
  readonly answer: string;
  /** Where it is cut into writes. */
  readonly cuts: readonly number[];
}

interface Outcome {
  readonly events: readonly string[];
  readonly headers: readonly string[];
  readonly body: string;
}

let current: Case = { method: 'GET', answer: '', cuts: [] };
const raw = await startRawUpstream(fileScope, (socket) => writePieces(socket, current));

function writePieces(socket: Socket, { answer, cuts }: Case): void {
  socket.setNoDelay(true);
  const ends = [...new Set(cuts.filter((cut) => cut < answer.length))].sort((a, b) => a - b);
  let at = 0;
  const next = (): void => {
    const end = ends.shift() ?? answer.length;
    socket.write(answer.slice(at, end), 'latin1');
    at = end;
    if (at < answer.length) setImmediate(next);
    else socket.end();
  };
  next();
}

async function outcome(create: CreateUpstream, method: string): Promise<Outcome> {
  const scope: (() => unknown)[] = [];
  const upstream = upstreamTo({ after: (end) => void scope.push(end) }, create, targetAt(raw.port));
  const request: UpstreamRequest = { ...get, method };
  const report = send(upstream, request);
  await report.over;
  for (const end of scope) end();
  // llhttp leaves the white space after a value, which is not part of it (RFC 9112, 5.1).
  const headers = report.headers.map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));
  return { events: [...report.events], headers, body: report.body };
}

async function check(given: Case, mustBeRead: boolean): Promise<void> {
  current = given;
  const ours = await outcome(createHttp1Upstream, given.method);
  if (mustBeRead) assert.equal(ours.events.at(-1), 'end', JSON.stringify(ours));
  if (ours.events.at(-1) !== 'end') return;
  // undici takes 100 for an error unless it was asked for; RFC 9110, 15.2 says to be ready for it.
  if (/^HTTP\/1\.[01] 100 /m.test(given.answer)) return;
  const theirs = await outcome(createUndiciUpstream, given.method);
  assert.deepEqual(ours, theirs, JSON.stringify({ ours, theirs }));
}

const oneOf = (letters: string) => fc.constantFrom(...Array.from(letters));
const token = fc.string({ unit: oneOf('abXY-_09!'), minLength: 1, maxLength: 8 });
const text = fc.string({ unit: oneOf('ab :;,="\t\x80\xff'), maxLength: 12 });
const field = fc.tuple(token, text).map(([name, value]) => `X${name}: ${value}\r\n`);
const body = fc.string({
  unit: fc.constantFrom('a', '\r', '\n', '\0', '0', '\xff'),
  maxLength: 40,
});

const extension = fc.oneof(
  token.map((name) => `;${name}`),
  fc.tuple(token, token).map(([name, value]) => `;${name}=${value}`),
  token.map((value) => `;q="${value} \\"x"`),
);
const extensions = fc.array(extension, { maxLength: 2 }).map((list) => list.join(''));
const chunk = fc
  .tuple(fc.string({ minLength: 1, maxLength: 20 }), extensions, fc.boolean())
  .map(([data, extra, upper]) => {
    const octets = Buffer.from(data).toString('latin1');
    const size = octets.length.toString(16);
    return `${upper ? size.toUpperCase() : size}${extra}\r\n${octets}\r\n`;
  });
const chunks = fc
  .tuple(fc.array(chunk, { maxLength: 4 }), extensions, fc.array(field, { maxLength: 2 }))
  .map(([list, extra, trailers]) => `${list.join('')}0${extra}\r\n${trailers.join('')}\r\n`);

const status = fc.constantFrom(200, 200, 201, 202, 299, 400, 404, 500, 503, 599);
const reason = fc.constantFrom('OK', '', 'Not Found', 'a\tb', '\xe9');
const interim = fc
  .tuple(fc.constantFrom(100, 102, 103), fc.array(field, { maxLength: 2 }))
  .map(([code, fields]) => `HTTP/1.1 ${code} x\r\n${fields.join('')}\r\n`);
const framed = fc.oneof(
  body.map((octets) => [`Content-Length: ${octets.length}\r\n`, octets] as const),
  chunks.map((octets) => ['Transfer-Encoding: chunked\r\n', octets] as const),
  body.map((octets) => ['', octets] as const),
);
const valid = fc
  .record({
    interim: fc.array(interim, { maxLength: 2 }),
    status,
    reason,
    before: fc.array(field, { maxLength: 3 }),
    framed,
    after: fc.array(field, { maxLength: 3 }),
  })
  .map(
    ({ interim: first, status: code, reason: why, before, framed: [framing, octets], after }) =>
      `${first.join('')}HTTP/1.1 ${code} ${why}\r\n${before.join('')}${framing}${after.join('')}\r\n${octets}`,
  );

const oddLine = fc.constantFrom(
  'Content-Length: 3\r\n',
  'Content-Length: 03\r\n',
  'Content-Length: 3, 3\r\n',
  'Content-Length:\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding:\tchunked \r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding : chunked\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive, upgrade\r\n',
  'Upgrade: h2c\r\n',
  'Keep-Alive: timeout=5\r\n',
  'Trailer: X\r\n',
  ' folded\r\n',
  'A\r\n',
  'A: b\n',
  'A: b\r',
  '\r\n',
  '0\r\n\r\n',
  '3\r\n',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.0 200 OK\r\n',
  'HTTP/1.1 101 Switching Protocols\r\n',
  'HTTP/1.1 204 No Content\r\n',
  'HTTP/1.1 304 Not Modified\r\n\r\n',
);
const oddOctet = oneOf('\r\n\0\t :;="0aF\x7f\x80\xff');
const change = fc.record({
  at: fc.nat(400),
  remove: fc.nat(3),
  insert: fc.oneof(oddLine, oddOctet, fc.constant('')),
});

/** A valid answer in which something was taken out and something else put in. */
const hostile = fc
  .tuple(valid, fc.array(change, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([answer, changes, atLines]) =>
    changes.reduce((result, { at, remove, insert }) => {
      let position = at % (result.length + 1);
      // Lines are put between lines as often as anywhere.
      if (atLines) position = result.indexOf('\r\n', position) + 2;
      return result.slice(0, position) + insert + result.slice(position + (atLines ? 0 : remove));
    }, answer),
  );

const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST');
const cuts = fc.array(fc.nat(300), { maxLength: 4 });
const bounded = {
  numRuns: 1_000_000,
  interruptAfterTimeLimit: FUZZ_MS,
  markInterruptAsFailure: false,
};

test('every valid answer is read, and read as undici does, however it is cut', async () => {
  const cases = fc.record({ method: fc.constantFrom('GET', 'POST'), answer: valid, cuts });
  await fc.assert(
    fc.asyncProperty(cases, (given) => check(given, true)),
    bounded,
  );
});

test('of odd and hostile answers none is read that undici refuses or reads in another way', async () => {
  const cases = fc.record({ method, answer: hostile, cuts });
  await fc.assert(
    fc.asyncProperty(cases, (given) => check(given, false)),
    bounded,
  );
});

describe('answers that fuzzing has found worth keeping', () => {
  for (const { what, method: asked = 'GET', answer } of corpus) {
    test(what, async () => {
      await check({ method: asked, answer, cuts: [] }, false);
      const everywhere = Array.from({ length: answer.length }, (_, index) => index);
      await check({ method: asked, answer, cuts: everywhere }, false);
    });
  }
});
