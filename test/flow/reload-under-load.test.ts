import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { beginEvents, event, json, ok, startFakeUpstream } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { startGate } from '../harness/gate.ts';
import { mcpHeaders, open, ping, sendMcp } from '../harness/http-client.ts';
import { startPostern } from '../harness/postern.ts';
import {
  gateway,
  glooJwt,
  glooPolicy,
  localJwks,
  mcpBackend,
  rbac,
  route,
  yaml,
} from '../harness/resources.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { until } from '../harness/until.ts';

const RELOADS = 30;
const CLIENTS = 8;

const countRefused = (log: string) => log.split('configuration was refused').length - 1;

test('thirty reloads under load, a third of them bad, fail no request and cut no stream', async (t) => {
  let streaming = true;
  t.after(() => void (streaming = false));
  const upstream = await startFakeUpstream(t, async (request, response) => {
    if (request.method !== 'GET') return json(ok)(request, response);
    beginEvents(response);
    const timer = setInterval(() => response.write(event('tick')), 50);
    await until('the end of the test', () => !streaming, 120_000);
    clearInterval(timer);
    response.end(event('end'));
  });
  const issuer = await createIssuer();
  const policy = (sub: string) =>
    glooPolicy({
      ...glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }),
      ...rbac(`jwt.sub == "alice" || jwt.sub == "${sub}"`),
    });
  const stamped = (round: number) =>
    route({
      rule: {
        filters: [
          {
            type: 'ResponseHeaderModifier',
            responseHeaderModifier: { set: [{ name: 'x-round', value: String(round) }] },
          },
        ],
      },
    });
  const gate = await startGate(t, {
    upstreamPort: upstream.port,
    more: [policy('nobody'), stamped(0)],
  });
  const token = await issuer.sign({ sub: 'alice' });

  const { response: stream } = await open({
    port: gate.port,
    method: 'GET',
    headers: mcpHeaders(token),
  });
  let streamed = '';
  stream.setEncoding('utf8').on('data', (text: string) => (streamed += text));
  stream.on('error', () => undefined);

  let loading = true;
  t.after(() => void (loading = false));
  let requests = 0;
  const failures: string[] = [];
  const rounds = new Set<string>();
  const load = Array.from({ length: CLIENTS }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (loading) {
      requests += 1;
      await sendMcp(gate.port, ping, { token, agent }).then(
        ({ status, text, headers }) => {
          if (status !== 200) failures.push(`${status} ${text}`);
          rounds.add(String(headers['x-round']));
        },
        (error: unknown) => failures.push(String(error)),
      );
    }
    agent.destroy();
  });

  for (let round = 1; round <= RELOADS; round += 1) {
    if (round % 3 === 0) {
      const refusals = countRefused(gate.processLog());
      gate.write(round % 2 === 0 ? 'kind: [' : gate.resources(policy('"'), stamped(round)));
      await until(
        'the bad change to be reported',
        () => countRefused(gate.processLog()) > refusals,
      ).catch((error: unknown) => {
        throw new Error(`round ${round}: ${String(error)}\n${gate.processLog().slice(-1500)}`);
      });
    } else {
      await gate.reload(gate.resources(policy(`user-${round}`), stamped(round)));
    }
  }
  loading = false;
  await Promise.all(load);

  assert.deepEqual(failures, []);
  assert(requests > RELOADS * CLIENTS, `only ${requests} requests were sent`);
  assert(rounds.size > RELOADS / 3, `the load saw only ${rounds.size} configurations`);
  const last = await sendMcp(gate.port, ping, { token: await issuer.sign({ sub: 'user-29' }) });
  assert.equal(last.status, 200);
  assert.equal(last.headers['x-round'], '29');

  assert(!stream.complete);
  streaming = false;
  await until('the stream to end by itself', () => stream.complete);
  assert.match(streamed, /data: end\n\n$/);
});

test('a bad change leaves everything as it was and is reported', async (t) => {
  const upstream = await startFakeUpstream(t);
  const gate = await startGate(t, { upstreamPort: upstream.port });
  gate.write(gate.resources(route({ backend: 'absent' })));
  await gate.waitForProcessLine(/absent/);
  assert.equal((await sendMcp(gate.port, ping)).status, 200);

  const ready = await gate.admin('/healthz/ready');
  assert.equal(ready.status, 200);
  assert.match(await gate.metrics(), /^postern_config_last_reload_success 0$/m);

  await gate.reload(gate.resources(route({ prefix: '/elsewhere' })));
  assert.equal((await sendMcp(gate.port, ping)).status, 404);
  assert.equal((await sendMcp(gate.port, ping, { path: '/elsewhere' })).status, 200);
  assert.match(await gate.metrics(), /^postern_config_last_reload_success 1$/m);
});

test('a mounted ConfigMap is read again when its link is swapped', async (t) => {
  const upstream = await startFakeUpstream(t);
  const port = await freePort();
  const mount = mkdtempSync(join(tmpdir(), 'postern-mount-'));
  t.after(() => rmSync(mount, { recursive: true, force: true }));
  // As the kubelet does it: files are links through ..data, and ..data is replaced in one step.
  const publish = (version: string, prefix: string) => {
    mkdirSync(join(mount, `..${version}`));
    const text = yaml(gateway({ port }), mcpBackend({ port: upstream.port }), route({ prefix }));
    writeFileSync(join(mount, `..${version}`, 'resources.yaml'), text);
    symlinkSync(`..${version}`, join(mount, '..data_tmp'));
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
  };
  publish('1', '/old');
  symlinkSync(join('..data', 'resources.yaml'), join(mount, 'resources.yaml'));
  await startPostern(t, { paths: [mount] });
  assert.equal((await sendMcp(port, ping, { path: '/old' })).status, 200);
  publish('2', '/new');
  await until(
    'the new route',
    async () => (await sendMcp(port, ping, { path: '/new' })).status === 200,
  );
  assert.equal((await sendMcp(port, ping, { path: '/old' })).status, 404);
});
