/**
 * The entry of a worker process: takes plans from the primary, runs the gate, reports back.
 */

import { createGateway } from '../gateway.ts';
import { parseRedisUrl, REDIS_URL_VARIABLE } from '../limit/redis-url.ts';
import type { RunOptions } from '../options.ts';
import { parseSessionKeys, SESSION_KEY_VARIABLE } from '../mcp/session-keys.ts';
import { createAccessLog } from '../record/access-log.ts';
import { createMetrics } from '../record/metrics.ts';
import { createProcessLog } from '../record/process-log.ts';
import { createDeliveryRecorder } from '../record/record-delivered.ts';
import { createRecorder } from '../record/record.ts';
import { isMessageOf, type ToPrimary, type ToWorker } from './messages.ts';
import { createSiblings, siblingLimits, WORKER_ID_VARIABLE, type Siblings } from './siblings.ts';

/** The primary's standard output; descriptor 1 is closed to the native server's own prints. */
const ACCESS_LOG_DESCRIPTOR = 3;
const STATUS_INTERVAL_MS = 250;

process.title = 'postern: worker';
// The options come from our own primary, which has checked them.
const run = JSON.parse(process.argv[2] ?? '{}') as RunOptions;
const log = createProcessLog({ format: run.logFormat, level: run.logLevel });
const accessLog = createAccessLog({ fd: ACCESS_LOG_DESCRIPTOR, format: run.logFormat });
const metrics = createMetrics({ accessLog });
const recording = {
  accessLog: run.accessLog === 'on' ? accessLog : null,
  metrics,
  onBug: (error: unknown) => bug('record', error),
};
const gateway = createGateway({
  run,
  sessionKeys: sessionKeys(),
  siblings: siblings(),
  redisUrl: redisUrl(),
  metrics,
  record: createRecorder(recording),
  recordDelivered: createDeliveryRecorder(recording),
  onWarning: (warning) => log.warn(warning),
  onKeysFetched: (keySet) => say({ type: 'key-set', keySet }),
  onBug: bug,
});

let work = Promise.resolve();
let leaving = false;

// A terminal signals the whole group; the primary tells its workers what to do.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('uncaughtException', (error) => die('uncaught exception', error));
process.on('unhandledRejection', (reason) => die('unhandled rejection', reason));
process.on('disconnect', () => void leave());
process.on('message', (message: unknown) => {
  if (!isMessageOf<ToWorker>(['apply', 'drain'], message)) return;
  if (message.type === 'drain') {
    void leave();
    return;
  }
  if (message.type !== 'apply') return;
  const { plan, keySets } = message;
  work = work.then(async () => {
    try {
      await gateway.apply(plan, keySets);
      report();
      say({ type: 'applied', generation: plan.generation });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      say({ type: 'refused', generation: plan.generation, message: text });
    }
  });
});

setInterval(report, STATUS_INTERVAL_MS).unref();
say({ type: 'started' });

/** The primary has read them already; without them no id could be sealed, so there is no going on. */
function sessionKeys(): readonly Uint8Array[] {
  const parsed = parseSessionKeys(process.env[SESSION_KEY_VARIABLE] ?? '');
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.keys;
}

function siblings(): Siblings {
  const workerId = process.env[WORKER_ID_VARIABLE] ?? '';
  if (workerId === '') throw new Error('the primary gave this worker no id');
  return createSiblings(
    workerId,
    {
      send(message, done) {
        if (process.connected) process.send?.(message, done);
        else done();
      },
      onMessage(take) {
        process.on('message', (message: unknown) => {
          if (isMessageOf<ToWorker>(['sibling'], message) && message.type === 'sibling') {
            take(message);
          }
        });
      },
    },
    siblingLimits(run),
  );
}

function redisUrl(): string | null {
  const parsed = parseRedisUrl(process.env[REDIS_URL_VARIABLE]);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.url;
}

function say(message: ToPrimary): void {
  if (process.connected) process.send?.(message, () => undefined);
}

function report(): void {
  say({ type: 'status', status: gateway.status() });
}

async function leave(): Promise<void> {
  if (leaving) return;
  leaving = true;
  await gateway.drain(run.drainTimeoutMs);
  await accessLog.close();
  process.exit(0);
}

function bug(where: string, error: unknown): void {
  log.error({ err: error }, `exception in ${where}`);
}

/** A worker whose state is unknown is worth less than a new one: the primary starts it. */
function die(what: string, error: unknown): void {
  log.fatal({ err: error }, what);
  process.exit(1);
}
