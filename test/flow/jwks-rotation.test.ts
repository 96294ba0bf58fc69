import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { describe, test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { startJwksServer, type JwksServer } from '../harness/jwks-server.ts';
import { processTree } from '../harness/memory.ts';
import {
  backendTls,
  caConfigMap,
  glooJwt,
  glooPolicy,
  remoteJwks,
  staticBackend,
  type Resource,
} from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { createAuthority } from '../peers/certificates.ts';
import { sleep, until } from '../harness/until.ts';

const ISSUER = 'https://issuer.test';

function remotePolicy(jwks: JwksServer, options: Parameters<typeof remoteJwks>[0]): Resource[] {
  return [
    staticBackend({ name: 'idp', port: jwks.port }),
    glooPolicy(glooJwt({ issuer: ISSUER, ...remoteJwks(options) })),
  ];
}

async function start(scope: Scope, keys: readonly unknown[], cacheDuration: string) {
  const jwks = await startJwksServer(scope, keys);
  const upstream = await startFakeUpstream(scope);
  const more = remotePolicy(jwks, { cacheDuration });
  const gate = await startGate(scope, { upstreamPort: upstream.port, more });
  return { jwks, gate };
}

const newIssuer = (kid: string) => createIssuer({ issuer: ISSUER, kid });

describe('a remote key set', { concurrency: false }, () => {
  test('that rotates under load never costs a good token', async (t) => {
    let signer = await newIssuer('key-0');
    let published = [signer.jwk];
    const { jwks, gate } = await start(t, published, '500ms');
    let loading = true;
    t.after(() => void (loading = false));
    let sent = 0;
    const refused: string[] = [];
    const load = Array.from({ length: 4 }, async (_, client) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      let token = '';
      for (let count = 0; loading; count += 1) {
        // One request in four brings a new token, the others one that was seen before.
        if (count % 4 === 0) token = await signer.sign({ sub: `client-${client}`, jti: count });
        const answer = await sendMcp(gate.port, ping, { token, agent });
        if (answer.status !== 200) refused.push(`${answer.status} ${answer.text}`);
        sent += 1;
      }
      agent.destroy();
    });
    for (let rotation = 1; rotation <= 4; rotation += 1) {
      // As providers do: a new key is published, comes into use, and later the old one disappears.
      const next = await newIssuer(`key-${rotation}`);
      published = [...published.slice(-1), next.jwk];
      jwks.publish(...published);
      const fetchesSoFar = jwks.fetches;
      await until('a background fetch', () => jwks.fetches > fetchesSoFar);
      await sleep(200);
      signer = next;
      await sleep(300);
    }
    loading = false;
    await Promise.all(load);
    assert.deepEqual(refused, []);
    assert(sent > 100);
  });

  test('is fetched again at once for a key that it lacks', async (t) => {
    const [old, next] = await Promise.all([newIssuer('old'), newIssuer('next')]);
    const { jwks, gate } = await start(t, [old.jwk], '1h');
    assert.equal((await sendMcp(gate.port, ping, { token: await old.sign() })).status, 200);
    const fetchesSoFar = jwks.fetches;
    jwks.publish(old.jwk, next.jwk);
    const tokens = await Promise.all(
      Array.from({ length: 10 }, (_, jti) => next.sign({ jti: String(jti) })),
    );
    const answers = await Promise.all(tokens.map((token) => sendMcp(gate.port, ping, { token })));
    for (const { status, text } of answers) assert.equal(status, 200, text);
    assert.equal(jwks.fetches - fetchesSoFar, 1);
  });

  test('is not fetched over and over for keys that do not exist', async (t) => {
    const signer = await newIssuer('real');
    const { jwks, gate } = await start(t, [signer.jwk], '1h');
    const fetchesSoFar = jwks.fetches;
    for (let count = 0; count < 50; count += 1) {
      const token = await signer.sign({}, { kid: `made-up-${count}` });
      const answer = await sendMcp(gate.port, ping, { token });
      assert.equal(answer.status, 403);
      assert.match(answer.text, /unknown key/);
    }
    assert(jwks.fetches - fetchesSoFar <= 2, `${jwks.fetches - fetchesSoFar} fetches`);
  });

  test('that drops a key ends the life of its tokens, remembered ones too', async (t) => {
    const [old, next] = await Promise.all([newIssuer('old'), newIssuer('next')]);
    const { jwks, gate } = await start(t, [old.jwk, next.jwk], '500ms');
    const token = await old.sign();
    assert.equal((await sendMcp(gate.port, ping, { token })).status, 200);
    jwks.publish(next.jwk);
    await until(
      'the old token to be refused',
      async () => (await sendMcp(gate.port, ping, { token })).status === 403,
    );
  });

  for (const state of ['down', 'hang', 'garbage'] as const) {
    test(`whose endpoint is ${state} is kept as it was last seen`, async (t) => {
      const signer = await newIssuer('key');
      const { jwks, gate } = await start(t, [signer.jwk], '300ms');
      assert.equal((await sendMcp(gate.port, ping, { token: await signer.sign() })).status, 200);
      jwks.state = state;
      const fetchesSoFar = jwks.fetches;
      await until('a failed fetch', () => jwks.fetches > fetchesSoFar);
      await sleep(1500);
      const token = await signer.sign({ jti: 'new' });
      assert.equal((await sendMcp(gate.port, ping, { token })).status, 200);
      assert.equal((await gate.admin('/healthz/ready')).status, 200);
    });
  }
});

describe('a worker that takes the place of a dead one', { concurrency: false }, () => {
  for (const state of ['down', 'hang'] as const) {
    test(
      `has its keys while their endpoint is ${state}, and fetches them anew when it can`,
      { skip: processTree(process.pid) === null && 'this system has no /proc' },
      async (t) => {
        const [signer, next] = await Promise.all([newIssuer('key'), newIssuer('next')]);
        const { jwks, gate } = await start(t, [signer.jwk], '1h');
        jwks.state = state;
        const [, victim] = processTree(gate.pid) ?? [];
        assert.ok(victim !== undefined);
        const fetchesSoFar = jwks.fetches;
        process.kill(victim, 'SIGKILL');
        await until(
          'the death to be noticed',
          () => !(processTree(gate.pid) ?? []).includes(victim),
        );
        await until('a new worker to ask', () => jwks.fetches > fetchesSoFar);
        await until('readiness', async () => (await gate.admin('/healthz/ready')).status === 200);
        const token = await signer.sign({ jti: 'new' });
        const answer = await sendMcp(gate.port, ping, { token });
        assert.equal(answer.status, 200, answer.text);

        jwks.publish(next.jwk);
        jwks.state = 'up';
        await until('the old key to be gone', async () => {
          const late = await sendMcp(gate.port, ping, { token });
          return late.status === 403;
        });
        const fresh = await sendMcp(gate.port, ping, { token: await next.sign() });
        assert.equal(fresh.status, 200, fresh.text);
      },
    );
  }
});

test(
  'keys that no resource asked for in between do not come back from a dead worker',
  { skip: processTree(process.pid) === null && 'this system has no /proc' },
  async (t) => {
    const signer = await newIssuer('key');
    const jwks = await startJwksServer(t, [signer.jwk]);
    const upstream = await startFakeUpstream(t);
    const more = remotePolicy(jwks, { cacheDuration: '1h' });
    const options = ['--key-set-deadline=0s'];
    const gate = await startGate(t, { upstreamPort: upstream.port, more, options });
    const ask = async () => (await sendMcp(gate.port, ping, { token: await signer.sign() })).status;
    assert.equal(await ask(), 200);
    await gate.reload(gate.resources());
    jwks.state = 'down';
    await gate.reload(gate.resources(...more));
    assert.equal(await ask(), 503);
    const [, victim] = processTree(gate.pid) ?? [];
    assert.ok(victim !== undefined);
    process.kill(victim, 'SIGKILL');
    await until('a new worker', () => {
      const [, worker] = processTree(gate.pid) ?? [];
      return worker !== undefined && worker !== victim;
    });
    await until('an answer', async () => (await ask().catch(() => null)) !== null);
    assert.equal(await ask(), 503);
    jwks.state = 'up';
    await until('the keys', async () => (await ask()) === 200);
  },
);

describe('a key set over HTTPS', () => {
  for (const { name, trusted } of [
    { name: 'with the right authority is used', trusted: true },
    { name: 'with a wrong authority is not, and the gate never gets ready', trusted: false },
  ]) {
    test(name, async (t) => {
      const [authority, other] = [await createAuthority(), await createAuthority('Other CA')];
      const signer = await newIssuer('key');
      const pair = await authority.issue({ dns: ['idp.test'] });
      const jwks = await startJwksServer(t, [signer.jwk], pair);
      const upstream = await startFakeUpstream(t);
      const caCertificateRefs = [{ group: '', kind: 'ConfigMap', name: 'ca' }];
      const gate = await startGate(t, {
        upstreamPort: upstream.port,
        more: [
          ...remotePolicy(jwks, { url: 'https://idp.test/jwks.json', fastListener: true }),
          caConfigMap('ca', (trusted ? authority : other).certPem),
          backendTls({ hostname: 'idp.test', caCertificateRefs }, 'idp'),
        ],
        waitUntilReady: trusted,
      });
      const token = await signer.sign();
      const status = trusted ? 200 : 503;
      await until('the answer', async () => {
        const answer = await sendMcp(gate.port, ping, { token }).catch(() => undefined);
        return answer?.status === status;
      });
      await sleep(1000);
      assert.equal((await sendMcp(gate.port, ping, { token })).status, status);
      assert.equal((await gate.admin('/healthz/ready')).status, status);
      assert.equal(jwks.fetches > 0, trusted);
    });
  }
});

describe('a key set that is not there when the gate starts', () => {
  test('leaves the gate not ready, answering 503, until it comes', async (t) => {
    const signer = await newIssuer('key');
    const jwks = await startJwksServer(t, [signer.jwk]);
    jwks.state = 'down';
    const upstream = await startFakeUpstream(t);
    const gate = await startGate(t, {
      upstreamPort: upstream.port,
      more: remotePolicy(jwks, { fastListener: true }),
      waitUntilReady: false,
    });
    const token = await signer.sign();
    await until('the listener', async () => {
      const answer = await sendMcp(gate.port, ping, { token }).catch(() => undefined);
      return answer?.status === 503 && answer;
    });
    assert.equal((await gate.admin('/healthz/ready')).status, 503);
    assert.equal((await gate.admin('/healthz/live')).status, 200);
    assert.equal((await sendMcp(gate.port, ping)).status, 403, 'no token needs no key to refuse');

    jwks.state = 'up';
    await until(
      'readiness',
      async () => (await gate.admin('/healthz/ready')).status === 200,
      20_000,
    );
    assert.equal((await sendMcp(gate.port, ping, { token })).status, 200);
  });

  test('is waited for up to a deadline where fastListener is false', async (t) => {
    const signer = await newIssuer('key');
    const jwks = await startJwksServer(t, [signer.jwk]);
    jwks.state = 'hang';
    const upstream = await startFakeUpstream(t);
    const gate = await startGate(t, {
      upstreamPort: upstream.port,
      more: remotePolicy(jwks, {}),
      options: ['--key-set-deadline=1500ms'],
      waitUntilReady: false,
    });
    const startedAt = performance.now();
    await until('a fetch', () => jwks.fetches > 0);
    await assert.rejects(sendMcp(gate.port, ping), 'the listener did not wait');
    await until('the listener', () =>
      sendMcp(gate.port, ping).then(
        () => true,
        () => false,
      ),
    );
    assert(performance.now() - startedAt < 8000);
  });
});
