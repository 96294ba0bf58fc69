/**
 * Key endpoints on their worst day. Each is tried in three times of one life: broken from the start, where good
 * tokens are refused with 503; healed, where they pass; broken again, where the keys that are known go on.
 */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { before, describe, test } from 'node:test';
import { freePort } from '../harness/free-port.ts';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { residentBytes } from '../harness/memory.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import {
  gateway,
  GATEWAY_GROUP,
  glooPolicy,
  KGATEWAY_GROUP,
  mcpBackend,
  route,
  staticBackend,
  yaml,
} from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer, type TokenIssuer } from '../harness/token-issuer.ts';
import { sleep, until } from '../harness/until.ts';

const ISSUER = 'https://issuer.test';
const jsonType = { 'content-type': 'application/json' };

type Fault = (response: ServerResponse, good: string) => void;

const send =
  (body: string | Buffer, status = 200, headers: Record<string, string> = jsonType): Fault =>
  (response) =>
    void response.writeHead(status, headers).end(body);

/** Writes for as long as anybody reads. */
const endless =
  (piece: string): Fault =>
  (response) => {
    response.writeHead(200, jsonType);
    const push = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', push);
    push();
  };

const faults: readonly (readonly [name: string, fault: Fault])[] = [
  ['says nothing', () => undefined],
  ['sends half and stops', (response) => void response.writeHead(200, jsonType).write('{"keys":[')],
  [
    'trickles',
    (response) => {
      response.writeHead(200, jsonType);
      const timer = setInterval(() => response.write(' '), 100);
      response.once('close', () => clearInterval(timer));
    },
  ],
  ['cuts the connection', (response) => void response.destroy()],
  ['answers 500', send('{"keys":[]}', 500)],
  ['answers 401', send('{}', 401)],
  ['answers 204', send('', 204)],
  ['redirects', send('', 302, { location: 'http://127.0.0.1:1/keys' })],
  ['redirects to itself', send('', 307, { location: '/jwks.json' })],
  ['answers HTML', send('<!doctype html><p>hello', 200, { 'content-type': 'text/html' })],
  ['answers with nothing', send('')],
  ['answers with null', send('null')],
  ['answers with a list', send('[]')],
  ['answers without keys', send('{}')],
  ['answers with keys that are no list', send('{"keys":{"a":1}}')],
  ['answers with keys that are there twice', send('{"keys":[],"keys":[]}')],
  ['answers with two texts', send('{"keys":[]}{"keys":[]}')],
  [
    'answers in gzip',
    send(Buffer.from('1f8b0800', 'hex'), 200, { ...jsonType, 'content-encoding': 'gzip' }),
  ],
  ['answers with octets that are not UTF-8', send(Buffer.from([0x7b, 0xff, 0x7d]))],
  ['answers with 100,000 brackets', send('['.repeat(100_000))],
  ['never ends', endless(' '.repeat(65_536))],
  ['never ends a key', endless('{"keys":[{"kid":"'.padEnd(65_536, 'a'))],
  [
    'answers with keys that can not be used',
    send(
      JSON.stringify({
        keys: [null, 1, {}, { kty: 'oct', k: 'AA', kid: 'a' }, { kty: 'EC', crv: 'P-0', kid: 'b' }],
      }),
    ),
  ],
];

const listens = (port: number) =>
  until(
    'the gate to listen',
    () =>
      sendMcp(port, ping).then(
        () => true,
        () => false,
      ),
    30_000,
  );

let gate: Postern;
let signer: TokenIssuer;

describe('a key endpoint that', { concurrency: true }, () => {
  let idp: FakeUpstream;
  let port: number;
  /** Of each path, whether it is broken now, and how often it was asked. */
  const isBroken = new Map<string, boolean>();
  const asked = new Map<string, number>();
  const pathOf = (index: number): string => `/keys-${index}`;

  before(async () => {
    signer = await createIssuer({ issuer: ISSUER, kid: 'good' });
    const good = JSON.stringify({ keys: [signer.jwk] });
    idp = await startFakeUpstream(fileScope, ({ url }, response) => {
      asked.set(url, (asked.get(url) ?? 0) + 1);
      const fault = faults[Number(url.slice('/keys-'.length))]?.[1];
      if (isBroken.get(url) === false || fault === undefined) send(good)(response, good);
      else fault(response, good);
    });
    const upstream = await startFakeUpstream(fileScope);
    port = await freePort();
    const routes = faults.map((_fault, index) =>
      route({ name: `route-${index}`, prefix: `/mcp-${index}` }),
    );
    const policies = faults.map((_fault, index) =>
      glooPolicy(
        {
          glooJWT: {
            beforeExtAuth: {
              providers: {
                test: {
                  issuer: ISSUER,
                  jwks: {
                    remote: {
                      url: `http://idp.test${pathOf(index)}`,
                      backendRef: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'idp' },
                      cacheDuration: '1s',
                    },
                  },
                },
              },
            },
          },
        },
        {
          name: `jwt-${index}`,
          target: { group: GATEWAY_GROUP, kind: 'HTTPRoute', name: `route-${index}` },
        },
      ),
    );
    gate = await startPostern(fileScope, {
      resources: yaml(
        gateway({ port }),
        mcpBackend({ port: upstream.port }),
        staticBackend({ name: 'idp', port: idp.port }),
        ...routes,
        ...policies,
      ),
      options: ['--key-set-deadline', '0'],
      // It is not ready before it has every key set once, and most of these are broken.
      waitUntilReady: false,
    });
    await listens(port);
  });

  const ask = async (index: number) =>
    sendMcp(port, ping, {
      path: `/mcp-${index}`,
      token: await signer.sign({ sub: 'alice', jti: Math.random() }),
    });

  for (const [index, [name]] of faults.entries()) {
    test(`${name} costs its own tokens alone, and only until it has answered well once`, async () => {
      const before = await ask(index);
      assert.equal(before.status === 503 || before.status === 403, true, before.text);

      isBroken.set(pathOf(index), false);
      await until('the keys are known', async () => (await ask(index)).status === 200, 40_000);

      isBroken.set(pathOf(index), true);
      const soFar = asked.get(pathOf(index)) ?? 0;
      await until('it was asked again', () => (asked.get(pathOf(index)) ?? 0) > soFar, 20_000);
      await sleep(50);
      const after = await ask(index);
      if (name.includes('can not be used')) {
        // A set that is well-formed and has no usable key replaces the one before: its keys are gone.
        assert.equal(after.status === 403 || after.status === 200, true, after.text);
      } else {
        assert.equal(after.status, 200, after.text);
      }
    });
  }
});

test('what any of them does leaves the gate small and well', () => {
  assert.ok((residentBytes(gate.pid) ?? 0) < 600 * 2 ** 20);
  assert.doesNotMatch(gate.processLog(), /exception|uncaught|died/);
});

test('a key endpoint that serves 10,000 keys is over the bound, and costs its tokens alone', async (t) => {
  const many = Array.from({ length: 10_000 }, (_, index) => ({
    ...signer.jwk,
    kid: `k-${index}`,
  }));
  const big = await startFakeUpstream(t, (_request, response) => {
    send(JSON.stringify({ keys: [signer.jwk, ...many] }))(response, '');
  });
  const upstream = await startFakeUpstream(t);
  const ownPort = await freePort();
  const own = await startPostern(t, {
    waitUntilReady: false,
    resources: yaml(
      gateway({ port: ownPort }),
      mcpBackend({ port: upstream.port }),
      staticBackend({ name: 'idp', port: big.port }),
      route(),
      glooPolicy({
        glooJWT: {
          beforeExtAuth: {
            providers: {
              test: {
                issuer: ISSUER,
                jwks: {
                  remote: {
                    url: 'http://idp.test/keys',
                    backendRef: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'idp' },
                  },
                },
              },
            },
          },
        },
      }),
    ),
  });
  await listens(ownPort);
  await own.waitForProcessLine(/over 524288 octets/, 20_000);
  const answer = await sendMcp(ownPort, ping, { token: await signer.sign({ sub: 'alice' }) });
  assert.equal(answer.status, 503, answer.text);
  assert.equal(own.hasEnded(), false);
});
