import { checkAnswers } from './check-answers.ts';
import { runOpenLoop, SETTLING_SECONDS } from './load/open-loop.ts';
import type { LoadOptions, LoadRequest, LoadTool } from './load/request.ts';
import { runLoad } from './load/tool.ts';
import { cpuNanoseconds, processTree, residentBytes } from './process.ts';
import { requestOf } from './request-of.ts';
import type { Scenario } from './scenarios.ts';
import type { Stage } from './stage.ts';
import type { RunningSubject } from './subjects/subject.ts';

/** One round of one subject in one scenario. */
export interface Round {
  readonly tool: LoadTool;
  readonly requestsPerSecond: number;
  /** CPU of the proxy's processes for each request; the steadiest number on a noisy machine. */
  readonly cpuMicroseconds: number;
  readonly unexpected: number;
  readonly errors: number;
  readonly residentMib: number;
  /** Share of one core that each side used. */
  readonly busy: { readonly proxy: number; readonly load: number; readonly upstream: number };
}

/** Latency at a fixed rate, from the time each request was due. */
export interface Latency {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly errors: number;
}

export interface MeasureOptions {
  readonly tool: LoadTool;
  readonly seconds: number;
  readonly connections: number;
}

const WARM_UP_SECONDS = 2;
/** Our own generator of fixed rates is not to be the limit. */
const MOST_AT_FIXED_RATE = 15_000;

/**
 * Checks a subject's answers and warms it up.
 *
 * @returns the request to measure with
 */
export async function prepare(
  stage: Stage,
  running: RunningSubject,
  scenario: Scenario,
  options: MeasureOptions,
  isDirect: boolean,
): Promise<LoadRequest> {
  const request = await requestOf(scenario, running.port, stage.identities);
  const expected = { status: scenario.expectedStatus, text: scenario.expectedText };
  await checkAnswers(
    running.port,
    isDirect ? 'plain' : scenario.duty,
    stage.identities,
    request,
    expected,
  );
  if (scenario.once === true) return request;
  const job = loadOptions(stage, running, scenario, request, options);
  await runLoad({ ...job, seconds: WARM_UP_SECONDS }, options.tool);
  return request;
}

/** Runs the load once, and says what it cost. */
export async function measureRound(
  stage: Stage,
  running: RunningSubject,
  scenario: Scenario,
  request: LoadRequest,
  options: MeasureOptions,
): Promise<Round> {
  const job = loadOptions(stage, running, scenario, request, options);
  const pids = running.pid === 0 ? [] : processTree(running.pid);
  const before = [cpuNanoseconds(pids), cpuNanoseconds([stage.upstream.pid])] as const;
  const startedAt = performance.now();
  const result = await runLoad(job, options.tool);
  const wallNanoseconds = (performance.now() - startedAt) * 1e6;
  const proxy = cpuNanoseconds(pids) - before[0];
  const upstream = cpuNanoseconds([stage.upstream.pid]) - before[1];
  const loadNanoseconds = result.seconds * 1e9;
  return {
    tool: result.tool,
    requestsPerSecond: result.requests / result.seconds,
    cpuMicroseconds: proxy / 1000 / Math.max(1, result.requests),
    unexpected: result.unexpected,
    errors: result.errors,
    residentMib: residentBytes(pids) / 2 ** 20,
    busy: {
      proxy: proxy / loadNanoseconds,
      load: result.cpuNanoseconds / Math.min(loadNanoseconds, wallNanoseconds),
      upstream: upstream / loadNanoseconds,
    },
  };
}

/** Half of the requests a second that a round reached, or what our generator of fixed rates can do. */
export function halfLoad({ requestsPerSecond }: Round): number {
  return Math.max(1, Math.round(Math.min(MOST_AT_FIXED_RATE, requestsPerSecond / 2)));
}

/** Sends at a fixed rate and takes the latency of every request that was due once connections were made. */
export async function measureLatency(
  running: RunningSubject,
  scenario: Scenario,
  request: LoadRequest,
  requestsPerSecond: number,
  seconds: number,
): Promise<Latency> {
  const result = await runOpenLoop({
    port: running.port,
    request,
    connections: 64,
    requestsPerSecond,
    seconds: seconds + SETTLING_SECONDS,
    settlingSeconds: SETTLING_SECONDS,
    expectedStatus: scenario.expectedStatus,
  });
  const { p50Ms, p99Ms, p999Ms, errors, unexpected } = result;
  return { requestsPerSecond, p50Ms, p99Ms, p999Ms, errors: errors + unexpected };
}

function loadOptions(
  { loadCores }: Stage,
  { port }: RunningSubject,
  scenario: Scenario,
  request: LoadRequest,
  { seconds, connections }: MeasureOptions,
): LoadOptions {
  return {
    port,
    request,
    connections: scenario.connections ?? connections,
    seconds,
    expectedStatus: scenario.expectedStatus,
    cores: loadCores,
    ...(scenario.once === true ? { maxRequests: request.tokens.length } : {}),
  };
}
