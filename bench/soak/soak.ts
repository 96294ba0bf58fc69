/** One soak from start to end: a gate under mixed traffic while everything around it, and it, fails. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { processTree } from '../../test/harness/memory.ts';
import { sleep, until } from '../../test/harness/until.ts';
import { runFaults, type FaultCounts, type FaultTimes } from './faults.ts';
import { startIdentity } from './identity.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { createObserver, descriptorsOf, type MemoryTrend } from './observe.ts';
import { startSubject } from './subject.ts';
import { runClients } from './traffic.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly clients: number;
  /** Mean pause of a client between two requests. */
  readonly pauseMs: number;
  readonly faults: FaultTimes;
  readonly warmUpSeconds: number;
}

export interface SoakResult {
  readonly seconds: number;
  readonly ledger: Ledger;
  readonly faults: FaultCounts;
  readonly memory: readonly MemoryTrend[];
  readonly maxEventLoopDelaySeconds: number;
  /** Primary first; the most of any worker is what counts. */
  readonly descriptorsAtStart: readonly number[];
  readonly descriptorsAtEnd: readonly number[];
  readonly streamsLeft: number;
  readonly requestsLeft: number;
  readonly connectionsLeft: number;
  /** The last good configuration came into force. */
  readonly lastReloadInForce: boolean;
  /** Lines of the logs that hold a token. */
  readonly leakedLines: number;
  readonly processLogEnd: string;
}

/** After this time a silent upstream is given up. */
const HEADERS_TIMEOUT_MS = 4000;
const SAMPLE_MS = 1000;
const SETTLE_MS = 20_000;

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const startedAt = performance.now();
  const now = (): number => performance.now() - startedAt;
  const identity = await startIdentity(['alice', 'carol', 'mallory']);
  const subject = await startSubject(identity.jwksPort, HEADERS_TIMEOUT_MS);
  try {
    const ledger = createLedger(now);
    const observer = createObserver(subject, now);
    const stage = { port: subject.port, identity, ledger, now };
    await sleep(1000);
    const descriptorsAtStart = descriptorsOf(subject.pid);
    const firstGeneration = await subject.generation();

    const endMs = now() + options.seconds * 1000;
    const going = (): boolean => now() < endMs;
    const sampling = (async () => {
      while (going()) {
        await observer.sample();
        await sleep(SAMPLE_MS);
      }
    })();
    const [faults] = await Promise.all([
      runFaults({ subject, identity, ledger }, options.faults, going),
      runClients(stage, options.clients, options.pauseMs, going),
      sampling,
    ]);

    // The end: a last good configuration, all workers alive, nothing under way.
    subject.reload(false);
    const settle = (what: string, ask: () => Promise<boolean>): Promise<boolean> =>
      until(what, () => ask().catch(() => false), SETTLE_MS).catch(() => false);
    const isWhole = await settle('two workers', () =>
      Promise.resolve((processTree(subject.pid) ?? []).length === 3),
    );
    const reloaded = await settle('the reload', async () => {
      const answered = await fetch(`http://127.0.0.1:${subject.port}/nowhere`);
      await answered.body?.cancel();
      return answered.status === 404 && (await subject.generation()) > firstGeneration;
    });
    await subject.stopUpstreams();
    const left = { streams: -1, requests: -1, connections: -1 };
    await settle('everything to end', async () => {
      left.streams = await subject.metric('open_streams');
      left.requests = await subject.metric('open_requests');
      left.connections = await subject.metric('downstream_connections');
      return left.streams === 0 && left.requests === 0 && left.connections === 0;
    });
    await settle('the descriptors to be closed', () =>
      Promise.resolve(mostOf(descriptorsOf(subject.pid)) <= mostOf(descriptorsAtStart)),
    );
    const descriptorsAtEnd = descriptorsOf(subject.pid);
    await subject.stop();
    return {
      seconds: options.seconds,
      ledger,
      faults,
      memory: observer.trends(options.warmUpSeconds * 1000),
      maxEventLoopDelaySeconds: observer.maxEventLoopDelaySeconds,
      descriptorsAtStart,
      descriptorsAtEnd,
      streamsLeft: left.streams,
      requestsLeft: left.requests,
      connectionsLeft: left.connections,
      lastReloadInForce: isWhole && reloaded,
      leakedLines: await countTokens(subject.logFile, subject.processLog()),
      processLogEnd: subject.processLog().slice(-3000),
    };
  } finally {
    await subject.stop();
    await subject.stopUpstreams();
    await identity.close();
    subject.removeFiles();
  }
}

/** The most descriptors of any one worker. */
export function mostOf([, ...workers]: readonly number[]): number {
  return Math.max(0, ...workers);
}

/** Tokens begin like this: the base64url form of `{"`. */
const TOKEN = 'eyJ';

async function countTokens(file: string, processLog: string): Promise<number> {
  let count = processLog.split('\n').filter((line) => line.includes(TOKEN)).length;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (line.includes(TOKEN)) count += 1;
  }
  return count;
}
