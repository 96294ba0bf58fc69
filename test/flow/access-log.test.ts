import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ok, startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { begin, mcpHeaders, ping, send, sendMcp, sendRaw } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, localJwks, rbac } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer, type TokenIssuer } from '../harness/token-issuer.ts';
import { sleep, until } from '../harness/until.ts';

const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z\s+info\s+request /;

for (const format of ['text', 'json'] as const) {
  describe(`the access log as ${format}`, () => {
    let gate: Gate;
    let issuer: TokenIssuer;
    let hang = false;

    before(async () => {
      const upstream = await startFakeUpstream(fileScope, (_request, response) => {
        if (!hang) response.end(JSON.stringify(ok));
      });
      issuer = await createIssuer();
      gate = await startGate(fileScope, {
        upstreamPort: upstream.port,
        options: [`--log-format=${format}`],
        more: [
          glooPolicy({
            ...glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }),
            ...rbac('jwt.sub != "bob"'),
          }),
        ],
      });
    });

    /** The lines that are written while `act` runs, as soon as there are `count` of them. */
    async function linesOf(count: number, act: () => Promise<unknown>): Promise<string[]> {
      const before = gate.accessLog().length;
      await act();
      const written = () => gate.accessLog().slice(before).split('\n').slice(0, -1);
      await until(`${count} lines`, () => written().length >= count);
      await sleep(300);
      assert.equal(written().length, count, written().join('\n'));
      return written();
    }

    const field = (line: string, name: string): string | undefined => {
      if (format === 'json') {
        const value = (JSON.parse(line) as Record<string, string | number>)[name];
        return value === undefined ? undefined : String(value);
      }
      assert.match(line, LINE);
      const [, quoted, plain] =
        new RegExp(
          String.raw` ${name.replaceAll('.', String.raw`\.`)}=(?:"((?:[^"\\]|\\.)*)"|(\S*))`,
        ).exec(line) ?? [];
      return quoted ?? plain;
    };

    test('has one line for each request, in the order of the guide', async () => {
      const token = await issuer.sign({ sub: 'alice' });
      const [line = ''] = await linesOf(1, () => sendMcp(gate.port, ping, { token }));
      const expected = {
        gateway: 'default/gate',
        listener: 'http',
        route: 'default/mcp',
        'http.method': 'POST',
        'http.host': '127.0.0.1',
        'http.path': '/mcp',
        'http.version': 'HTTP/1.1',
        'http.status': '200',
        'jwt.sub': 'alice',
      };
      for (const [name, value] of Object.entries(expected)) {
        assert.equal(field(line, name), value, name);
      }
      assert.match(field(line, 'src.addr') ?? '', /^127\.0\.0\.1(:\d+)?$/);
      assert.match(field(line, 'duration') ?? '', /^\d+(\.\d+)?ms$/);
      assert.equal(field(line, 'error'), undefined);
      const positions = Object.keys(expected).map((name) => line.indexOf(name));
      assert.deepEqual(
        positions,
        [...positions].sort((a, b) => a - b),
      );
    });

    test('says why a request was refused, and by what', async () => {
      const token = await issuer.sign({ sub: 'bob' });
      const [line = ''] = await linesOf(1, () => sendMcp(gate.port, ping, { token }));
      assert.equal(field(line, 'http.status'), '403');
      assert.match(line, /authorization failed/);
      assert.equal(field(line, 'reason'), 'Authorization');
      assert.equal(field(line, 'policy'), 'default/jwt');
      assert.equal(field(line, 'jwt.sub'), 'bob');
    });

    test('has a line for a request that no route wants', async () => {
      const [line = ''] = await linesOf(1, () => send({ port: gate.port, path: '/nowhere' }));
      assert.equal(field(line, 'http.status'), '404');
      assert.equal(field(line, 'reason'), 'NotFound');
    });

    test('has a line with status 499 for a client that went away', async () => {
      hang = true;
      const token = await issuer.sign({ sub: 'alice' });
      const [line = ''] = await linesOf(1, async () => {
        const body = JSON.stringify(ping);
        const request = begin({ port: gate.port, body, headers: mcpHeaders(token) });
        request.on('error', () => undefined);
        request.end(body);
        await sleep(300);
        request.destroy();
      });
      hang = false;
      assert.equal(field(line, 'http.status'), '499');
      assert.equal(field(line, 'jwt.sub'), 'alice');
    });

    test('cannot be forged through a path, a host, a method or a claim', async () => {
      const evil =
        'x" http.status=200\n2026-01-01T00:00:00.000000Z info request \u001b[31m\u2028\u0000';
      const token = await issuer.sign({ sub: evil });
      const [byClaim = ''] = await linesOf(1, () => sendMcp(gate.port, ping, { token }));
      assert.equal(field(byClaim, 'http.status'), '200');
      const lines = await linesOf(3, async () => {
        const octets = [
          'GET /mcp"%0a%0dhttp.status=200%1b%e2%80%a8 HTTP/1.1\r\nhost: x\r\n\r\n',
          'GET /mcp HTTP/1.1\r\nhost: x"http.status=200\r\n\r\n',
          `GET /mcp HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${'" x='.repeat(9)}\r\n\r\n`,
        ];
        for (const text of octets) await sendRaw(gate.port, text, 200);
      });
      for (const line of [byClaim, ...lines]) {
        assert.doesNotMatch(line, /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/);
        if (format === 'text') {
          assert.match(line, LINE);
          assert.equal(line.match(/ http\.status=\d+ /g)?.length ?? 0, 1, line);
        } else {
          assert.doesNotThrow(() => JSON.parse(line) as unknown);
        }
      }
    });

    test('never holds a token', async () => {
      const token = await issuer.sign({ sub: 'carol' });
      await linesOf(2, async () => {
        await sendMcp(gate.port, ping, { token });
        await sendMcp(gate.port, ping, { path: `/mcp?access_token=${token}` });
      });
      const logs = gate.accessLog() + gate.processLog();
      assert(!logs.includes(token));
      assert(!logs.includes(token.split('.')[2]!));
    });
  });
}
