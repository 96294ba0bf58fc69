/**
 * The whole way of a request through the gate, apart from sockets and the native server: what of the CPU time
 * of a request is our own, and how much memory it takes. `--profile` writes a CPU profile to bench/profiles.
 *
 *   npm run bench:micro (compiled first: tsx adds work of its own to every closure)
 */
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAccept } from '../../src/accept/accept.ts';
import type { NativeRequest, NativeResponse } from '../../src/accept/native.ts';
import { createReadBody } from '../../src/accept/read-body.ts';
import { createAuthenticator } from '../../src/authenticate/authenticate.ts';
import { createKeySetStore } from '../../src/authenticate/key-set-store.ts';
import { createVerifyPool } from '../../src/authenticate/verify-pool.ts';
import { createDecisionMemo } from '../../src/authorize/decision-memo.ts';
import { buildTables } from '../../src/build-runtime.ts';
import { createChooseBackend } from '../../src/forward/choose-backend.ts';
import { PASS } from '../../src/verdict.ts';
import { createForward, requestFor } from '../../src/forward/forward.ts';
import { AnswerReader } from '../../src/forward/http1/answer-reader.ts';
import { requestHead } from '../../src/forward/http1/write-request.ts';
import type { Upstream, UpstreamAnswer } from '../../src/forward/upstream.ts';
import { createPlanLoader } from '../../src/load-plan.ts';
import { createSealer } from '../../src/mcp/seal.ts';
import { createPipeline } from '../../src/pipeline.ts';
import { createAccessLog } from '../../src/record/access-log.ts';
import { createMetrics } from '../../src/record/metrics.ts';
import { createRecorder } from '../../src/record/record.ts';
import { systemClock } from '../../src/units.ts';
import { CALL, CALL_ANSWER, CLIENT_HEADERS } from '../messages.ts';
import { posternResources } from '../subjects/postern.ts';
import type { Duty } from '../subjects/subject.ts';
import { createIdentities } from '../tokens.ts';

/** How many requests are in flight at one time. */
const CONNECTIONS = 64;
const ROUNDS = 9;
const ROUND_MS = 300;

const identities = createIdentities();
const folder = mkdtempSync(join(tmpdir(), 'postern-micro-'));
const accessLog = createAccessLog({
  fd: openSync(join(folder, 'access.log'), 'w'),
  format: 'text',
});
const metrics = createMetrics({ accessLog });
const verifyPool = createVerifyPool({ threads: 1, maxQueued: 16, onWarning: () => undefined });
const answerOctets = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n' +
    `Content-Length: ${CALL_ANSWER.length}\r\n\r\n${CALL_ANSWER}`,
);
const addressOctets = new TextEncoder().encode('127.0.0.1').buffer;
const monotonicNow = (): number => performance.now();

let finished = 0;
const waiting: UpstreamAnswer[] = [];

/** Answers when it is asked to, through the reader of the real client. */
function fakeUpstream(backendName: string): Upstream {
  return {
    ...{ backendName, targetName: 'mcp', path: '/mcp', authority: '127.0.0.1:3001' },
    request(request, answer) {
      if (requestHead(request) === null) throw new Error('not a request');
      waiting.push(answer);
      return { abort: () => undefined, resume: () => undefined };
    },
    close: () => undefined,
  };
}

const limits = { maxHeaderBytes: 65_536, maxHeaderFields: 256, idleTimeoutMs: 4000 };
const reader = new AnswerReader(limits);

function answerAll(): void {
  for (const answer of waiting.splice(0)) {
    reader.begin('POST', answer);
    reader.push(answerOctets, 0, answerOctets.length);
    reader.stop();
    answer.onEnd();
  }
}

/** Does as the native server does, without a socket. */
class FakeResponse implements NativeResponse {
  #onData: ((chunk: ArrayBuffer, isLast: boolean) => void) | null = null;
  #written = 0;
  writeStatus = (): this => this;
  writeHeader = (): this => this;
  write = (): boolean => true;
  end = (): this => this;
  endWithoutBody = (): this => this;
  tryEnd(chunk: string | Uint8Array, total: number): [boolean, boolean] {
    this.#written += chunk.length;
    return [true, this.#written === total];
  }
  close = (): this => this;
  getWriteOffset = (): number => this.#written;
  onWritable = (): this => this;
  onAborted = (): this => this;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): this {
    this.#onData = handler;
    return this;
  }
  cork(callback: () => void): this {
    callback();
    return this;
  }
  getRemoteAddressAsText = (): ArrayBuffer => addressOctets;
  deliver(body: Buffer): void {
    const octets = new ArrayBuffer(body.length);
    new Uint8Array(octets).set(body);
    this.#onData?.(octets, true);
  }
}

async function createRun(duty: Duty): Promise<() => Promise<void>> {
  const file = join(folder, `${duty}.yaml`);
  writeFileSync(
    file,
    posternResources({
      ...{ duty, port: 8080, upstreamPort: 3001, identities, cores: null, workers: 1 },
      ...{ accessLog: true, folder, profileFolder: null },
    }),
  );
  const load = createPlanLoader({ files: [file], strict: false, authFailureStatus: 'auto' });
  const { plan, problems } = await load(1);
  if (plan === null) throw new Error(JSON.stringify(problems));
  const authenticators = plan.authentications.map((policy) =>
    createAuthenticator(policy, {
      clock: systemClock,
      verifySignature: verifyPool.verify,
      keySets: createKeySetStore({
        fetch: () => Promise.reject(new Error('no key set is remote')),
        ...{ clock: systemClock, random: Math.random, onWarning: () => undefined },
      }),
      onWarning: () => undefined,
      onVerdict: metrics.countToken,
    }),
  );
  const sealer = createSealer({
    ...{ keys: [new Uint8Array(32)], clock: systemClock, lifetimeMs: 86_400_000 },
  });
  const [table] = buildTables(
    plan,
    {
      authenticators,
      upstreams: plan.backends.map(({ name }) => [fakeUpstream(name)]),
      authorizationServers: [],
      rateLimits: { local: [], global: [] },
    },
    {
      ...{ listenAddress: '127.0.0.1', onDeny: 'hide', sealer, requestFor },
      decisionMemo: createDecisionMemo(32_768),
      onTools: () => undefined,
      federate: () => {
        throw new Error('there is one target');
      },
    },
  ).values();
  if (table === undefined) throw new Error('no port');
  const accept = createAccept({
    scheme: 'http',
    limits: {
      ...{ maxHeaderFields: 100, maxHeaderBytes: 65_536 },
      ...{ maxBodyBytes: 4_194_304, maxTargetBytes: 8192 },
    },
    listeners: () => table,
    ...{ clock: systemClock, monotonicNow, closing: () => false },
    run: createPipeline({
      chooseBackend: createChooseBackend(Math.random),
      readBody: createReadBody(30_000),
      joinSseStream: () => PASS,
      admit: () => PASS,
      admitPrincipal: () => PASS,
      limitRate: () => PASS,
      limitBackendRate: () => PASS,
      admitStream: () => PASS,
      carrySse: () => PASS,
      forward: createForward({ monotonicNow }),
      onBug: (stage, error) => {
        throw new Error(stage, { cause: error });
      },
    }),
    onStarted: () => undefined,
    onFinished(exchange) {
      finished += exchange.status === 200 ? 1 : 0;
      record(exchange);
    },
  });
  const record = createRecorder({ accessLog, metrics });

  const path = '/mcp';
  const headers = Object.entries({
    host: '127.0.0.1:8080',
    ...CLIENT_HEADERS,
    ...(duty === 'plain' ? {} : { authorization: `Bearer ${identities.alice}` }),
    'content-length': String(CALL.length),
  }).map(([name, value]) => [name, Buffer.from(value)] as const);
  const body = Buffer.from(CALL);
  const request: NativeRequest = {
    getCaseSensitiveMethod: () => 'POST',
    getUrl: () => path,
    getQuery: () => undefined,
    getHeader: () => '',
    forEach(callback) {
      // New strings each time, as from the native server: nothing about them is known yet.
      for (const [name, value] of headers) callback(name, value.toString('latin1'));
    },
  };

  return async () => {
    const before = finished;
    for (let index = 0; index < CONNECTIONS; index += 1) {
      const response = new FakeResponse();
      accept(response, request, null);
      response.deliver(body);
    }
    // The first batch waits for the signature check.
    do await new Promise(setImmediate);
    while (waiting.length < CONNECTIONS);
    answerAll();
    // Small answers are written at the end of the turn.
    await new Promise(setImmediate);
    if (finished !== before + CONNECTIONS) throw new Error('not every request was answered');
  };
}

async function measureAll(): Promise<void> {
  const cases = new Map<string, () => Promise<void>>();
  for (const duty of ['plain', 'claim', 'tool'] as const) cases.set(duty, await createRun(duty));
  const best = new Map<string, number>();
  /** Octets that a request takes of the heap. */
  const taken = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, run] of cases) {
      const before = process.cpuUsage();
      let requests = 0;
      let microseconds = 0;
      while (microseconds < ROUND_MS * 1000) {
        const heapBefore = process.memoryUsage().heapUsed;
        for (let batch = 0; batch < 10; batch += 1) await run();
        requests += 10 * CONNECTIONS;
        // Too little where memory was collected in between, which it is not each time. The first round compiles.
        const octets = (process.memoryUsage().heapUsed - heapBefore) / (10 * CONNECTIONS);
        if (round > 0) taken.set(name, Math.max(taken.get(name) ?? 0, octets));
        const { user, system } = process.cpuUsage(before);
        microseconds = user + system;
      }
      best.set(name, Math.min(best.get(name) ?? Infinity, microseconds / requests));
    }
  }
  for (const [name, microseconds] of best) {
    const time = `${microseconds.toFixed(2).padStart(7)} µs`;
    const memory = `${(taken.get(name) ?? 0).toFixed(0).padStart(6)} octets`;
    process.stdout.write(`${name.padEnd(6)} ${time} and ${memory} a request\n`);
  }
}

async function profiled(work: () => Promise<void>): Promise<void> {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: 200 });
  session.post('Profiler.start');
  await work();
  session.post('Profiler.stop', (_error, { profile }) => {
    const target = fileURLToPath(new URL('../profiles', import.meta.url));
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, 'hot-path.cpuprofile'), JSON.stringify(profile));
  });
}

try {
  await (process.argv.includes('--profile') ? profiled(measureAll) : measureAll());
} finally {
  await accessLog.close();
  await verifyPool.close();
  rmSync(folder, { recursive: true, force: true });
}
