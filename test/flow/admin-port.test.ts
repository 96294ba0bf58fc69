/** Who is told what on the side ports of the real process, and that its data port tells nothing of it. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { before, describe, test } from 'node:test';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { send, sendRaw } from '../harness/http-client.ts';
import { staticBackend, route } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';

const TOKEN = 'the-token-of-this-deployment-0123456789';
const WRONG = 'the-token-of-that-deployment-0123456789';
const PAGES = ['/', '/config', '/status', '/nothing'];

/** An address of this machine that is not a loopback address. */
const foreign = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

interface SidePorts {
  readonly adminPort: number;
  readonly metricsPort: number;
}

/** A gate whose admin and metrics ports listen on this address, as a pod's do that a kubelet probes. */
async function startOn(host: string, token: string | null): Promise<SidePorts> {
  const [adminPort, metricsPort] = [await freePort(), await freePort()];
  await startGate(fileScope, {
    upstreamPort: (await startFakeUpstream(fileScope)).port,
    options: [`--admin-address=${host}:${adminPort}`, `--metrics-address=${host}:${metricsPort}`],
    env: token === null ? {} : { POSTERN_ADMIN_TOKEN: token },
    waitUntilReady: false,
  });
  await until('the gate to be ready', () =>
    send({ port: adminPort, path: '/healthz/ready' }).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  return { adminPort, metricsPort };
}

const bearer = (token: string | null): Record<string, string> =>
  token === null ? {} : { authorization: `Bearer ${token}` };

/** Asks as this machine, and as a stranger where there is a network. */
async function askAll(port: number, path: string, headers: Readonly<Record<string, string>>) {
  const answers = [await send({ port, path, headers })];
  if (foreign !== undefined) {
    const answer = await fetch(`http://${foreign}:${port}${path}`, {
      headers: { ...headers, connection: 'close' },
    });
    const text = await answer.text();
    answers.push({ status: answer.status, headers: Object.fromEntries(answer.headers), text });
  }
  return answers;
}

function assertSafe(headers: Readonly<Record<string, unknown>>, where: string): void {
  for (const [name, value] of [
    ['cache-control', 'no-store'],
    ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
    ['referrer-policy', 'no-referrer'],
    ['x-content-type-options', 'nosniff'],
  ] as const) {
    assert.equal(headers[name], value, `${name} of ${where}`);
  }
  assert.equal(headers['access-control-allow-origin'], undefined);
}

const rows: readonly (readonly [
  name: string,
  token: string | null,
  sent: string | null,
  status: number,
])[] = [
  ['without a token of the deployment: nobody is shown the pages', null, null, 403],
  ['without a token of the deployment: any token is nobody', null, WRONG, 403],
  ['with a token of the deployment: nobody without it', TOKEN, null, 401],
  ['with a token of the deployment: nobody with another', TOKEN, WRONG, 401],
  ['with a token of the deployment: whoever has it', TOKEN, TOKEN, 200],
];

describe('the side ports on an address that others can reach', () => {
  const gates = new Map<string | null, SidePorts>();
  before(async () => {
    for (const token of [null, TOKEN]) gates.set(token, await startOn('0.0.0.0', token));
  });

  for (const [name, token, sent, status] of rows) {
    test(name, async () => {
      const { adminPort, metricsPort } = gates.get(token) ?? assert.fail();
      for (const path of PAGES) {
        for (const answer of await askAll(adminPort, path, bearer(sent))) {
          const expected = status === 200 && path === '/nothing' ? 404 : status;
          assert.equal(answer.status, expected, path);
          assert.equal('www-authenticate' in answer.headers, status === 401, path);
          if (status !== 200) assert.deepEqual(Object.keys(parsed(answer.text)), ['error'], path);
          assertSafe(answer.headers, path);
        }
      }
      // A kubelet has no token. It learns yes or no.
      for (const { status, text, headers } of await askAll(
        adminPort,
        '/healthz/live',
        bearer(sent),
      )) {
        assert.equal(status, 200);
        assert.deepEqual(parsed(text), { live: true });
        assertSafe(headers, '/healthz/live');
      }
      for (const answer of await askAll(adminPort, '/healthz/ready', bearer(sent))) {
        assert.equal(answer.status, 200);
        const full = { ready: true, details: [] };
        assert.deepEqual(parsed(answer.text), status === 200 ? full : { ready: true });
        assertSafe(answer.headers, '/healthz/ready');
      }
      for (const answer of await askAll(metricsPort, '/metrics', bearer(sent))) {
        assert.equal(answer.status, 200);
        assert.match(answer.text, /^postern_build_info/m);
        assertSafe(answer.headers, '/metrics');
      }
      for (const path of PAGES) {
        for (const answer of await askAll(metricsPort, path, bearer(sent))) {
          assert.equal(answer.status, 404, path);
          assertSafe(answer.headers, path);
        }
      }
    });
  }

  test('what is wrong with a reload is told to whoever has the token alone', async (t) => {
    const [adminPort, metricsPort] = [await freePort(), await freePort()];
    const gate = await startGate(t, {
      upstreamPort: (await startFakeUpstream(t)).port,
      options: [`--admin-address=0.0.0.0:${adminPort}`, `--metrics-address=0.0.0.0:${metricsPort}`],
      env: { POSTERN_ADMIN_TOKEN: TOKEN },
      waitUntilReady: false,
    });
    const ready = (token: string | null) =>
      send({ port: adminPort, path: '/healthz/ready', headers: bearer(token) });
    await until('the gate to be ready', () =>
      ready(null).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    gate.write('not: a resource');
    await until('the refusal', async () => (await ready(TOKEN)).text.includes('resources.yaml'));
    assert.deepEqual(parsed((await ready(null)).text), { ready: true });
    assert.deepEqual(parsed((await ready(WRONG)).text), { ready: true });
  });
});

describe('the data port', () => {
  let gate: Gate;
  let upstream: FakeUpstream;

  before(async () => {
    upstream = await startFakeUpstream(fileScope, (_request, response) => {
      response.end('from the backend');
    });
    gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      more: [staticBackend({ port: upstream.port }), route({ prefix: '/' })],
    });
  });

  const targets = [
    '/', '/config', '/status', '/metrics', '/healthz', '/healthz/live', '/healthz/ready', '//metrics', '//config',
    '/%6detrics', '/%63onfig', '/.//config', '/./config', '/x/../config', '/config/', '/config;x', '/config?x', '/CONFIG',
    '/%2fconfig', '/config%00', '\\config', '*',
  ]; // prettier-ignore

  test('shows no page of the side ports, whatever the spelling, name or form', async () => {
    const secret = (await gate.admin('/config')).text;
    const { adminPort, metricsPort } = gate;
    let fromBackend = 0;
    for (const target of targets) {
      for (const [line, host] of [
        [target, `127.0.0.1:${gate.port}`],
        [target, `127.0.0.1:${adminPort}`],
        [target, `localhost:${metricsPort}`],
        [`http://127.0.0.1:${adminPort}${target}`, `127.0.0.1:${adminPort}`],
        [`http://localhost:${metricsPort}${target}`, 'localhost'],
      ]) {
        const text = await sendRaw(
          gate.port,
          `GET ${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
          5000,
        );
        const where = `${line} of ${host}: ${text.slice(0, 200)}`;
        const [, status = ''] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? [];
        if (status === '200') {
          assert.ok(text.endsWith('from the backend'), where);
          fromBackend += 1;
        } else {
          assert.match(status, /^(4\d\d|505)$/, where);
        }
        assert.ok(!text.includes(secret.slice(0, 40)), where);
        assert.doesNotMatch(text, /postern_|"generation"|"live"|"ready"|"pages"/, where);
      }
    }
    assert.ok(fromBackend >= targets.length, `${fromBackend} answers of the backend`);
  });

  test('shows none where no route takes the request', async (t) => {
    const narrow = await startGate(t, { upstreamPort: upstream.port });
    for (const path of ['/config', '/status', '/metrics', '/healthz/live', '/healthz/ready', '/']) {
      const answer = await send({ port: narrow.port, path });
      assert.equal(answer.status, 404, path);
      assert.equal(answer.text, 'route not found', path);
    }
  });
});

function parsed(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}
