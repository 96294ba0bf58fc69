/**
 * What may fail around the gate itself. Nothing that a client was promised is lost, what fails is refused with
 * a status, and no process ends that was not told to.
 */
import assert from 'node:assert/strict';
import { readdirSync, renameSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { beginEvents, event, json, ok, startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { mcpHeaders, open, ping, sendMcp } from '../harness/http-client.ts';
import { processTree } from '../harness/memory.ts';
import type { Scope } from '../harness/scope.ts';
import { sleep, until } from '../harness/until.ts';

const hasProc = processTree(process.pid) !== null;
const skip = !hasProc && 'this system has no /proc';
const BOUND_MS = 60_000;

/** One line of the access log, from the time to a member that is always there. */
const WHOLE_LINE = /^\d{4}-\d\d-\d\dT\S+\t\S+\trequest .*$/;

async function expectAnswers(gate: Gate, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    assert.equal((await sendMcp(gate.port, ping)).status, 200);
  }
}

const metric = (text: string, name: string): number =>
  Number(new RegExp(`^postern_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);

/** The same processes as before, and nothing in the log of an end. */
async function staysWhole(gate: Gate, run: () => Promise<void>): Promise<void> {
  const before = processTree(gate.pid);
  await run();
  assert.deepEqual(processTree(gate.pid), before);
  assert.equal(gate.hasEnded(), false);
}

describe('where the access log can not be written', { skip }, () => {
  test(
    'because the disk is full, requests are served and the failures counted',
    { timeout: BOUND_MS },
    async (t) => {
      const upstream = await startFakeUpstream(t);
      const gate = await startGate(t, {
        upstreamPort: upstream.port,
        shell: { redirections: '>/dev/full' },
      });
      await staysWhole(gate, async () => {
        await expectAnswers(gate, 50);
        await until(
          'a failure to be counted',
          async () => metric(await gate.metrics(), 'access_log_write_failures_total') > 0,
        );
        await expectAnswers(gate, 50);
      });
      await gate.stop();
    },
  );

  test(
    'because nobody reads the pipe any more, requests are served',
    { timeout: BOUND_MS },
    async (t) => {
      const upstream = await startFakeUpstream(t);
      const gate = await startGate(t, { upstreamPort: upstream.port });
      await expectAnswers(gate, 5);
      gate.closeReader('stdout');
      await staysWhole(gate, async () => {
        await expectAnswers(gate, 50);
        await until(
          'a failure to be counted',
          async () => metric(await gate.metrics(), 'access_log_write_failures_total') > 0,
        );
        await expectAnswers(gate, 50);
      });
      await gate.stop();
    },
  );

  test(
    'because standard output is closed, requests are served',
    { timeout: BOUND_MS },
    async (t) => {
      const upstream = await startFakeUpstream(t);
      const gate = await startGate(t, {
        upstreamPort: upstream.port,
        shell: { redirections: '>&-' },
      });
      await staysWhole(gate, () => expectAnswers(gate, 50));
      await gate.stop();
    },
  );
});

describe('where the process log can not be written', { skip }, () => {
  for (const [name, redirections] of [
    ['the disk is full', '2>/dev/full'],
    ['standard error is closed', '2>&-'],
  ] as const) {
    test(
      `because ${name}, requests are served and reloads work`,
      { timeout: BOUND_MS },
      async (t) => {
        const upstream = await startFakeUpstream(t);
        const gate = await startGate(t, { upstreamPort: upstream.port, shell: { redirections } });
        await staysWhole(gate, async () => {
          await gate.reload(`${gate.resources()}\n# again\n`);
          await expectAnswers(gate, 20);
        });
        await gate.stop();
      },
    );
  }

  test(
    'because nobody reads the pipe any more, requests are served and reloads work',
    { timeout: BOUND_MS },
    async (t) => {
      const upstream = await startFakeUpstream(t);
      const gate = await startGate(t, { upstreamPort: upstream.port });
      gate.closeReader('stderr');
      await staysWhole(gate, async () => {
        await gate.reload(`${gate.resources()}\n# again\n`);
        await expectAnswers(gate, 20);
      });
      await gate.stop();
    },
  );
});

describe('where descriptors run out', { skip }, () => {
  /** Loading the program alone takes some hundreds for a moment: one for each of its files. */
  const DESCRIPTORS = 512;

  async function exhaust(scope: Scope, port: number): Promise<readonly Socket[]> {
    const sockets = Array.from({ length: DESCRIPTORS * 2 }, () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      return socket;
    });
    scope.after(() => sockets.forEach((socket) => socket.destroy()));
    await sleep(500);
    return sockets;
  }

  test(
    'no process ends, and all is well when there are some again',
    { timeout: BOUND_MS },
    async (t) => {
      const upstream = await startFakeUpstream(t);
      const gate = await startGate(t, {
        upstreamPort: upstream.port,
        shell: { prologue: `ulimit -n ${DESCRIPTORS}` },
      });
      await expectAnswers(gate, 5);
      await staysWhole(gate, async () => {
        for (const port of [gate.port, gate.adminPort, gate.metricsPort]) {
          const sockets = await exhaust(t, port);
          for (const socket of sockets) socket.destroy();
          await until(
            'the gate to answer',
            async () =>
              sendMcp(gate.port, ping).then(
                ({ status }) => status === 200,
                () => false,
              ),
            20_000,
          );
          await until(
            'the admin port to answer',
            () =>
              gate.admin('/healthz/live').then(
                ({ status }) => status === 200,
                () => false,
              ),
            20_000,
          );
        }
        await expectAnswers(gate, 20);
      });
      await gate.stop();
    },
  );

  test(
    'for upstreams: 503, told apart from an upstream that is down',
    { timeout: BOUND_MS },
    async (t) => {
      const upstream = await startFakeUpstream(t, () => undefined);
      const gate = await startGate(t, {
        upstreamPort: upstream.port,
        shell: { prologue: `ulimit -n ${DESCRIPTORS}` },
      });
      // Each of these takes two descriptors, one of the client and one to the upstream.
      const statuses: number[] = [];
      const pending = Array.from({ length: DESCRIPTORS }, () => {
        const request = open({
          port: gate.port,
          body: JSON.stringify(ping),
          headers: mcpHeaders(),
        });
        return request.then(
          ({ response }) => {
            statuses.push(response.statusCode ?? 0);
            response.resume();
          },
          () => undefined,
        );
      });
      await until('refusals', () => statuses.length > 0, 20_000);
      assert.ok(
        statuses.every((status) => status === 503),
        statuses.join(),
      );
      await gate.waitForAccessLine(/http\.status=503 .*reason=Overload.*(EMFILE|ENFILE)/);
      await upstream.close();
      await Promise.all(pending);
      assert.equal(gate.hasEnded(), false);
      await gate.stop();
    },
  );
});

describe('the configuration', () => {
  test(
    'that is taken away while the gate runs stays in force, and is followed when it is back',
    { timeout: BOUND_MS },
    async (t) => {
      const upstream = await startFakeUpstream(t);
      const gate = await startGate(t, { upstreamPort: upstream.port });
      const folder = dirname(gate.resourceFile);
      renameSync(folder, `${folder}-away`);
      await gate.waitForProcessLine(/does not exist/, 15_000);
      await gate.waitForProcessLine(
        /configuration was refused; everything stays as it was/,
        15_000,
      );
      await expectAnswers(gate, 10);
      renameSync(`${folder}-away`, folder);
      await gate.reload(gate.resources().replaceAll('/mcp', '/elsewhere'));
      assert.equal((await sendMcp(gate.port, ping)).status, 404);
      assert.equal((await sendMcp(gate.port, ping, { path: '/elsewhere' })).status, 200);
      await gate.stop();
    },
  );

  test(
    'is reloaded a few times by a flood of SIGHUP, and no request suffers',
    { timeout: BOUND_MS },
    async (t) => {
      const upstream = await startFakeUpstream(t);
      const gate = await startGate(t, { upstreamPort: upstream.port });
      const asking = expectAnswers(gate, 50);
      for (let count = 0; count < 500; count += 1) {
        gate.kill('SIGHUP');
        if (count % 50 === 0) await sleep(10);
      }
      await asking;
      await expectAnswers(gate, 10);
      assert.equal((await gate.admin('/healthz/ready')).status, 200);
      await gate.stop();
    },
  );
});

describe('SIGTERM', () => {
  test(
    'in the midst of a reload ends the gate in order, and finishes what runs',
    { timeout: BOUND_MS },
    async (t) => {
      let release: () => void = () => undefined;
      const upstream = await startFakeUpstream(t, async (request, response) => {
        if (request.method === 'GET') return json(ok)(request, response);
        beginEvents(response);
        response.write(event('first'));
        await new Promise<void>((resolve) => (release = resolve));
        response.end(event('last'));
      });
      const gate = await startGate(t, { upstreamPort: upstream.port });
      const { response } = await open({
        port: gate.port,
        body: JSON.stringify(ping),
        headers: mcpHeaders(),
      });
      gate.write(`${gate.resources()}\n# again\n`);
      gate.kill('SIGHUP');
      gate.kill('SIGTERM');
      setTimeout(() => release(), 300);
      let text = '';
      for await (const piece of response.setEncoding('utf8')) text += piece as string;
      assert.match(text, /first[^]*last/);
      assert.equal(await gate.waitForExit(), 0);
    },
  );

  test('a second time does not wait for anything', { timeout: BOUND_MS }, async (t) => {
    const upstream = await startFakeUpstream(t, () => undefined);
    const gate = await startGate(t, { upstreamPort: upstream.port });
    const pids = processTree(gate.pid) ?? [];
    const pending = sendMcp(gate.port, ping).catch(() => null);
    await until('the request', () => upstream.requests.length === 1);
    gate.kill('SIGTERM');
    await gate.waitForProcessLine(/draining/);
    gate.kill('SIGTERM');
    assert.equal(await gate.waitForExit(5000), 1);
    await pending;
    for (const pid of pids) {
      await until(`process ${pid} to be gone`, () => {
        try {
          process.kill(pid, 0);
          return false;
        } catch {
          return true;
        }
      });
    }
  });
});

for (const side of ['adminPort', 'metricsPort'] as const) {
  test(
    `a flood of half requests on the ${side} costs the data port nothing`,
    { timeout: BOUND_MS },
    async (t) => {
      const upstream = await startFakeUpstream(t);
      const gate = await startGate(t, { upstreamPort: upstream.port });
      const sockets = Array.from({ length: 600 }, () => {
        const socket = connect(gate[side], '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n');
        return socket;
      });
      t.after(() => sockets.forEach((socket) => socket.destroy()));
      await expectAnswers(gate, 50);
      for (const socket of sockets) socket.destroy();
      await until('the port to answer', () =>
        (side === 'adminPort'
          ? gate.admin('/healthz/ready').then(({ status }) => status === 200)
          : gate.metrics().then(() => true)
        ).catch(() => false),
      );
      assert.equal(gate.hasEnded(), false);
      await gate.stop();
    },
  );
}

test(
  'a worker that is killed in the midst of traffic costs its own requests alone, and no line of the log is torn',
  { skip, timeout: BOUND_MS },
  async (t) => {
    const upstream = await startFakeUpstream(t);
    const gate = await startGate(t, { upstreamPort: upstream.port, options: ['--workers=2'] });
    const workers = () => (processTree(gate.pid) ?? []).slice(1);
    await until('two workers', () => workers().length === 2);
    let running = true;
    let answered = 0;
    let lost = 0;
    const statuses = new Set<number>();
    const clients = Array.from({ length: 8 }, async () => {
      while (running) {
        await sendMcp(gate.port, ping).then(
          ({ status }) => {
            statuses.add(status);
            answered += 1;
          },
          () => (lost += 1),
        );
      }
    });
    for (let round = 0; round < 3; round += 1) {
      const before = answered;
      await until('traffic', () => answered > before + 20);
      const [, victim] = workers();
      assert.ok(victim !== undefined);
      process.kill(victim, 'SIGKILL');
      const atKill = answered;
      await until('the others to go on', () => answered > atKill + 20);
      await until('a new worker', () => workers().length === 2 && !workers().includes(victim));
    }
    await until('readiness', async () => (await gate.admin('/healthz/ready')).status === 200);
    running = false;
    await Promise.all(clients);
    assert.deepEqual([...statuses], [200]);
    // A worker has at most the eight requests of the clients, and a few connections not yet accepted.
    assert.ok(lost <= 3 * 16, `${lost} requests were lost`);
    await gate.stop();
    const torn = gate
      .accessLog()
      .trimEnd()
      .split('\n')
      .filter((line) => !WHOLE_LINE.test(line));
    assert.deepEqual(torn, []);
  },
);

test(
  'no descriptor is left open by requests that failed',
  { skip, timeout: BOUND_MS },
  async (t) => {
    const upstream = await startFakeUpstream(
      t,
      (_request, response) => void response.socket?.resetAndDestroy(),
    );
    const gate = await startGate(t, { upstreamPort: upstream.port });
    const [, worker] = processTree(gate.pid) ?? [];
    const descriptors = () => readdirSync(`/proc/${worker}/fd`).length;
    for (let count = 0; count < 20; count += 1) await sendMcp(gate.port, ping);
    const before = descriptors();
    for (let count = 0; count < 100; count += 1)
      assert.equal((await sendMcp(gate.port, ping)).status, 502);
    await until('the descriptors to be closed', () => descriptors() <= before + 3);
  },
);
