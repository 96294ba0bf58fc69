import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { checkNativeModule } from '../accept/check-native-module.ts';
import { ADMIN_TOKEN_VARIABLE, parseAdminToken } from '../admin/admin-token.ts';
import { serveAdmin, serveMetrics } from '../admin/admin.ts';
import type { PageServer } from '../admin/http-server.ts';
import { parseRedisUrl, REDIS_URL_VARIABLE } from '../limit/redis-url.ts';
import { createPlanLoader } from '../load-plan.ts';
import { makeSessionKey, parseSessionKeys, SESSION_KEY_VARIABLE } from '../mcp/session-keys.ts';
import type { ParsedOptions, RunOptions } from '../options.ts';
import type { Plan } from '../plan.ts';
import { createPrimaryMetrics } from '../record/primary-metrics.ts';
import { createProcessLog, type ProcessLog } from '../record/process-log.ts';
import { watchSources } from '../sources/watch.ts';
import { systemClock } from '../units.ts';
import { readVersion } from '../version.ts';
import { createPortClaims } from '../workers/port-claims.ts';
import { createPrimary, type ReloadOutcome } from '../workers/primary.ts';
import { siblingLimits } from '../workers/siblings.ts';
import { startWorkerPool, type WorkerPool } from '../workers/worker-pool.ts';
import { reportProblems } from './report-problems.ts';

/**
 * `postern run`: loads the resources, makes sure the ports are free, starts the workers, serves the
 * admin and metrics ports, reloads on change, and drains on SIGTERM and SIGINT.
 *
 * @returns exit code 0 after a drain; 1 where the resources are wrong, the native server's binary is
 *   not the reviewed one, or something can't be opened
 */
export async function run({ options }: Extract<ParsedOptions, { ok: true }>): Promise<number> {
  process.title = 'postern: primary';
  const sessionKey = process.env[SESSION_KEY_VARIABLE] ?? makeSessionKey();
  const keys = parseSessionKeys(sessionKey);
  if (!keys.ok) return fail(new Error(`${SESSION_KEY_VARIABLE}: ${keys.problem}`));
  const tampered = checkNativeModule();
  if (tampered !== null) return fail(new Error(tampered));
  const adminToken = parseAdminToken(process.env[ADMIN_TOKEN_VARIABLE]);
  if (!adminToken.ok) return fail(new Error(adminToken.problem));
  const redis = parseRedisUrl(process.env[REDIS_URL_VARIABLE]);
  if (!redis.ok) return fail(new Error(redis.problem));
  const load = createPlanLoader(options);
  const first = await load(1);
  reportProblems(first.problems);
  if (first.plan === null) return 1;

  const log = createProcessLog({ format: options.logFormat, level: options.logLevel });
  const version = readVersion();
  const claims = createPortClaims(options.listenAddress);
  const taken = await claims.claim(first.plan.ports);
  if (taken !== null) return fail(taken);

  const metrics = createPrimaryMetrics({ version });
  const pool = startWorkers(options, sessionKey, log, () => metrics.countWorkerRestart());
  metrics.observe({ statuses: pool.statuses, workersWanted: pool.wanted });
  const primary = createPrimary({
    load,
    claims,
    pool,
    version,
    clock: systemClock,
    onReloaded(outcome) {
      metrics.setReload(outcome);
      logReload(log, outcome);
    },
  });
  const sidePorts: PageServer[] = [];
  async function stop(timeoutMs: number): Promise<void> {
    await primary.drain(timeoutMs);
    for (const server of sidePorts) server.close();
  }

  for (const open of [
    () => serveAdmin(options.admin, primary.adminState, adminToken.check),
    () => serveMetrics(options.metrics, () => metrics.text()),
  ]) {
    const opened = await open();
    if (opened instanceof Error) {
      await stop(0);
      return fail(opened);
    }
    sidePorts.push(opened);
  }
  const refused = await primary.start({ ...first, plan: first.plan });
  if (refused !== null) {
    await stop(0);
    return fail(refused);
  }
  logListening(log, first.plan, options);

  const reload = (): void => void primary.reload();
  const watch = options.reload
    ? watchSources(options.files, reload, { since: first.fingerprint })
    : null;
  process.on('SIGHUP', reload);

  const signal = await firstSignal();
  log.info({ signal, drainTimeoutMs: options.drainTimeoutMs }, 'draining');
  watch?.close();
  await stop(options.drainTimeoutMs);
  log.info('stopped');
  return 0;
}

function startWorkers(
  options: RunOptions,
  sessionKey: string,
  log: ProcessLog,
  onRestart: () => void,
): WorkerPool {
  const isTypeScript = import.meta.url.endsWith('.ts');
  const file = new URL(`../workers/worker.${isTypeScript ? 'ts' : 'js'}`, import.meta.url);
  return startWorkerPool({
    count: options.workers === 0 ? availableParallelism() : options.workers,
    file: fileURLToPath(file),
    execArgv: [
      ...engineOptions(process.env.NODE_OPTIONS ?? ''),
      ...(isTypeScript ? ['--import', import.meta.resolve('tsx')] : []),
    ],
    args: [JSON.stringify(options)],
    // The native server reads this when it loads; its own default refuses ordinary tokens.
    environment: {
      UWS_HTTP_MAX_HEADERS_SIZE: String(options.maxHeaderBytes),
      [SESSION_KEY_VARIABLE]: sessionKey,
    },
    siblingLimits: siblingLimits(options),
    onDied(pid, how, restartInMs) {
      log.error({ pid, how, restartInMs }, 'a worker died');
      onRestart();
    },
  });
}

/**
 * One thread of the engine's own for each worker, where Node.js has four. They mark memory for a collection with the
 * priority of the event loop: on a core that they share with it, as in a container of one, it got a fifth of 20 ms each
 * time, and serves as fast without them.
 *
 * @param chosen by the operator, who has the last word
 */
function engineOptions(chosen: string): readonly string[] {
  return chosen.includes('--v8-pool-size') ? [] : ['--v8-pool-size=1'];
}

function logReload(log: ProcessLog, { ok, generation, messages }: ReloadOutcome): void {
  if (generation === 1 && ok) return;
  if (ok) {
    for (const message of messages) log.warn(message);
    log.info({ generation }, 'the new configuration is in force');
    return;
  }
  for (const message of messages) log.error(message);
  log.error({ generation }, 'the new configuration was refused; everything stays as it was');
}

function logListening(log: ProcessLog, plan: Plan, options: RunOptions): void {
  for (const { address, port, protocol, listeners } of plan.ports) {
    const names = listeners.map(({ gateway, name }) => `${gateway}/${name}`);
    log.info(
      { address: address ?? options.listenAddress, port, protocol, listeners: names },
      'listening',
    );
  }
  const { admin, metrics } = options;
  log.info(
    { admin: `${admin.host}:${admin.port}`, metrics: `${metrics.host}:${metrics.port}` },
    'side ports',
  );
}

/** Resolves at the first signal to stop; a second one does not wait for anything. */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(1);
      stopping = true;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

function fail(error: Error): number {
  process.stderr.write(`postern: ${error.message}\n`);
  return 1;
}
