import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { begin, mcpHeaders, ping, send, sendMcp, sendRaw } from '../harness/http-client.ts';
import { fileScope } from '../harness/scope.ts';

const MIB = 1024 * 1024;
const MAX_FIELDS = 64;
const CUT_OFF = 'connection closed';

describe('a request has limits', () => {
  let upstream: FakeUpstream;
  let gate: Gate;

  before(async () => {
    upstream = await startFakeUpstream(fileScope);
    gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      options: [`--max-header-fields=${MAX_FIELDS}`],
    });
  });

  test('a body of exactly 4 MiB passes', async () => {
    const empty = JSON.stringify({ ...ping, params: { padding: '' } });
    const padding = 'x'.repeat(4 * MIB - empty.length);
    const body = JSON.stringify({ ...ping, params: { padding } });
    assert.equal(body.length, 4 * MIB);
    const answer = await send({ port: gate.port, body, headers: mcpHeaders() });
    assert.equal(answer.status, 200);
    assert.equal(upstream.requests.at(-1)?.body.length, body.length);
  });

  test('a body that announces one octet more is refused with 413', async () => {
    const count = upstream.requests.length;
    const status = await sendBody({ 'content-length': String(4 * MIB + 1) }, 4 * MIB + 1);
    assert(status === 413 || status === CUT_OFF, String(status));
    assert.equal(upstream.requests.length, count);
  });

  test('and is refused before any octet of the body was sent', async () => {
    const answer = await sendRaw(
      gate.port,
      `POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: ${4 * MIB + 1}\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 413 /);
  });

  test('a chunked body that grows over 4 MiB is refused with 413', async () => {
    const count = upstream.requests.length;
    const status = await sendBody({ 'transfer-encoding': 'chunked' }, 6 * MIB);
    assert(status === 413 || status === CUT_OFF, String(status));
    assert.equal(upstream.requests.length, count);
  });

  /**
   * Sends `bytes` octets piece by piece, as far as the gate lets it, and returns the answer's status. A
   * client that still writes when the gate has answered and closed may see the close alone.
   */
  function sendBody(headers: Record<string, string>, bytes: number): Promise<number | string> {
    return new Promise((resolve, reject) => {
      const request = begin({
        port: gate.port,
        method: 'POST',
        headers: { ...mcpHeaders(), ...headers },
      });
      request.once('response', (response) => {
        response.resume().on('error', () => undefined);
        resolve(response.statusCode ?? 0);
        request.destroy();
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EPIPE' || error.code === 'ECONNRESET') resolve(CUT_OFF);
        else reject(error);
      });
      const piece = Buffer.alloc(64 * 1024, 'x');
      let left = bytes;
      const write = (): void => {
        if (request.destroyed) return;
        if (left <= 0) {
          request.end();
          return;
        }
        const size = Math.min(left, piece.length);
        left -= size;
        request.write(piece.subarray(0, size), () => setImmediate(write));
      };
      write();
    });
  }

  test('a token of 16 KiB passes the parser', async () => {
    const answer = await sendMcp(gate.port, ping, { token: 'x'.repeat(16 * 1024) });
    assert.equal(answer.status, 200);
  });

  test('a head of more than 64 KiB is refused with 431', async () => {
    const answer = await sendRaw(
      gate.port,
      `GET /mcp HTTP/1.1\r\nhost: x\r\nx-big: ${'x'.repeat(70 * 1024)}\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 431 /);
  });

  test('more fields than the limit are refused with 431', async () => {
    const fields = Array.from({ length: MAX_FIELDS }, (_, index) => `x-${index}: y\r\n`).join('');
    const answer = await sendRaw(gate.port, `GET /mcp HTTP/1.1\r\nhost: x\r\n${fields}\r\n`);
    assert.match(answer, /^HTTP\/1\.1 431 /);
  });

  test('more fields than the native server can hold end the connection', async () => {
    const count = upstream.requests.length;
    const fields = 'x: y\r\n'.repeat(1000);
    const startedAt = performance.now();
    const answer = await sendRaw(
      gate.port,
      `GET /mcp HTTP/1.1\r\nhost: x\r\n${fields}\r\n`,
      30_000,
    );
    assert.match(answer, /^(HTTP\/1\.1 4\d\d .*[^]*)?$/);
    assert(performance.now() - startedAt < 20_000);
    assert.equal(upstream.requests.length, count);
  });

  test('after all of that the gate still serves', async () => {
    assert.equal((await sendMcp(gate.port, ping)).status, 200);
  });
});
