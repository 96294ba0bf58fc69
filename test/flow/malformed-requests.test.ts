/** What a client must not be able to do with octets: end the gate, hang it, or be read in two ways. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { ping, sendMcp, sendRaw } from '../harness/http-client.ts';
import { fileScope } from '../harness/scope.ts';

const post = (fields: string, body = '') => `POST /mcp HTTP/1.1\r\nhost: x\r\n${fields}\r\n${body}`;

/** None of these may reach the upstream; each is answered with 4xx or 5xx, or the connection is closed. */
const rows: readonly (readonly [name: string, octets: string])[] = [
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ['an SSH greeting', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['no Host', 'GET /mcp HTTP/1.1\r\n\r\n'],
  ['two Hosts', 'GET /mcp HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n'],
  ['two Content-Lengths', post('content-length: 2\r\ncontent-length: 3\r\n', '{} ')],
  ['Content-Length and chunked', post('content-length: 2\r\ntransfer-encoding: chunked\r\n', '{}')],
  ['a negative Content-Length', post('content-length: -1\r\n')],
  ['a signed Content-Length', post('content-length: +2\r\n', '{}')],
  ['a huge Content-Length', post('content-length: 99999999999999999999\r\n')],
  ['an odd transfer coding', post('transfer-encoding: xchunked\r\n', '0\r\n\r\n')],
  ['two transfer codings', post('transfer-encoding: gzip, chunked\r\n', '0\r\n\r\n')],
  [
    'two Authorizations',
    'GET /mcp HTTP/1.1\r\nhost: x\r\nauthorization: a\r\nauthorization: b\r\n\r\n',
  ],
  ['a space before the colon', 'GET /mcp HTTP/1.1\r\nhost: x\r\nx-a : b\r\n\r\n'],
  ['a NUL in a field', 'GET /mcp HTTP/1.1\r\nhost: x\r\nx-a: b\0c\r\n\r\n'],
  ['a path that climbs out', 'GET /mcp/../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['a path that climbs out in disguise', 'GET /mcp/%2e%2e/%2e%2e/x HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['a bad percent sign', 'GET /mcp%zz HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['a chunk size that is none', post('transfer-encoding: chunked\r\n', 'zz\r\n{}\r\n0\r\n\r\n')],
  [
    'a chunk size that overflows',
    post('transfer-encoding: chunked\r\n', 'fffffffffffffffff\r\n{}'),
  ],
  ['CONNECT', 'CONNECT internal:22 HTTP/1.1\r\nhost: internal:22\r\n\r\n'],
  ['TRACE', 'TRACE /mcp HTTP/1.1\r\nhost: x\r\n\r\n'],
];

describe('a malformed request', () => {
  let upstream: FakeUpstream;
  let gate: Gate;

  before(async () => {
    upstream = await startFakeUpstream(fileScope);
    gate = await startGate(fileScope, { upstreamPort: upstream.port });
  });

  for (const [name, octets] of rows) {
    test(`with ${name} gets no further than the gate`, async () => {
      const count = upstream.requests.length;
      const answer = await sendRaw(gate.port, Buffer.from(octets, 'latin1'));
      assert.equal(upstream.requests.length, count, 'it reached the upstream');
      assert.match(answer, /^(HTTP\/1\.1 [45]\d\d .*[^]*)?$/);
      assert.equal((await sendMcp(gate.port, ping)).status, 200, 'the gate serves others');
    });
  }

  test('that smuggles another behind it does not make the gate send two', async () => {
    const count = upstream.requests.length;
    const smuggled = 'GET /mcp/smuggled HTTP/1.1\r\nhost: x\r\n\r\n';
    await sendRaw(
      gate.port,
      post(`content-length: 0\r\ntransfer-encoding: chunked\r\n`, `0\r\n\r\n${smuggled}`),
    );
    assert.equal(upstream.requests.length, count);
  });

  test('or any number of random ones leaves the gate serving', async () => {
    for (let round = 0; round < 100; round += 1) {
      const length = Math.floor(Math.random() * 200);
      const noise = Buffer.from(Array.from({ length }, () => Math.floor(Math.random() * 256)));
      await sendRaw(gate.port, Buffer.concat([noise, Buffer.from('\r\n\r\n')]), 20);
    }
    assert.equal((await sendMcp(gate.port, ping)).status, 200);
    assert.equal(gate.processLog().includes('"level":60'), false);
  });
});
