import { runOpenLoop, SETTLING_SECONDS, type OpenLoopResult } from '../load/open-loop.ts';
import type { LoadRequest } from '../load/request.ts';
import { bestTool, runLoad } from '../load/tool.ts';
import { CALL, CLIENT_HEADERS } from '../messages.ts';
import type { Stage } from '../stage.ts';
import { postern, PREFLIGHT_PATH, startPostern } from '../subjects/postern.ts';
import type { RunningSubject, Setting } from '../subjects/subject.ts';
import type { Study } from './study.ts';

const GOOD_PER_SECOND = 2000;
const SECONDS = 6;
/** So few places that this flood fills them at any speed. */
const SHORT_QUEUE = 4;
const PROBES_PER_SECOND = 20;
/**
 * The flood shares its core with the good clients and the upstream, who would else wait for it there; what they
 * leave is enough for it to be limited by the gate.
 */
const FLOOD_NICENESS = 19;

/** What any web page may ask, with no token. */
const preflight: LoadRequest = {
  ...{ method: 'OPTIONS', path: PREFLIGHT_PATH, body: '', tokens: [] },
  headers: { origin: 'https://page.test', 'access-control-request-method': 'POST' },
};

/** What good clients notice while others flood the gate with requests that it answers itself, or must verify. */
export const flood: Study = {
  name: 'flood',
  title: `good clients (${GOOD_PER_SECOND}/s, cached token) while others flood`,
  async run(stage) {
    const found: Record<string, number> = {};
    const cold = stage.identities.many(60_000);
    const roomy = await stage.startSubject(postern, {
      ...{ duty: 'tool', workers: 1, accessLog: true },
    });
    try {
      await good(stage, roomy);
      note(found, 'alone', await good(stage, roomy));
      await flooded(stage, roomy, found, ['anonymous flood', post([]), 403]);
      await flooded(stage, roomy, found, ['preflight flood', preflight, 204]);
      const garbage = post(['garbage.in.garbage-out']);
      await flooded(stage, roomy, found, ['garbage flood', garbage, 403]);
      const { forged } = stage.identities;
      await flooded(stage, roomy, found, ['bad signature flood', post([forged]), 403]);
      await flooded(stage, roomy, found, ['cold RS256 flood', post(cold), 200]);
    } finally {
      await roomy.stop();
    }
    const short = await startShortQueue(stage);
    try {
      await good(stage, short);
      const name = 'cold RS256 flood, queue full';
      const probing = probeCold(short, cold.slice(-(SECONDS * PROBES_PER_SECOND)));
      await flooded(stage, short, found, [name, post(cold.slice(0, 50_000)), 200]);
      for (const [answer, count] of await probing) found[`${name}: probes ${answer}`] = count;
    } finally {
      await short.stop();
    }
    return found;
  },
};

function startShortQueue(stage: Stage): Promise<RunningSubject> {
  const options = [
    ...['--max-streams-per-principal=0', '--max-requests-per-principal=0'],
    `--verify-queue=${SHORT_QUEUE}`,
  ];
  const subject = {
    ...postern,
    start: (setting: Setting) => startPostern({ ...setting, options }),
  };
  return stage.startSubject(subject, { duty: 'tool', workers: 1, accessLog: true });
}

/** Good clients while a flood is on. */
async function flooded(
  stage: Stage,
  running: RunningSubject,
  found: Record<string, number>,
  [name, request, expectedStatus]: readonly [string, LoadRequest, number],
): Promise<void> {
  const flooding = runLoad(
    {
      ...{ port: running.port, request, connections: 64, expectedStatus },
      ...{ seconds: SECONDS + 2, cores: stage.loadCores, niceness: FLOOD_NICENESS },
    },
    // It leaves the good clients and the upstream more of their core than autocannon.
    bestTool(),
  );
  await new Promise((resolve) => setTimeout(resolve, 1000));
  note(found, name, await good(stage, running));
  const { requests, seconds, unexpected } = await flooding;
  found[`${name}: answered a second`] = requests / seconds;
  found[`${name}: other answers`] = unexpected;
}

function note(
  found: Record<string, number>,
  name: string,
  { p50Ms, p99Ms, errors, unexpected }: OpenLoopResult,
): void {
  found[`${name}: p50 ms`] = p50Ms;
  found[`${name}: p99 ms`] = p99Ms;
  found[`${name}: failed`] = errors + unexpected;
}

/** Sends one cold token after the other, slowly, while a flood is on, and counts the answers. */
async function probeCold(
  { port }: RunningSubject,
  tokens: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  for (const token of tokens) {
    const answer = await fetch(`http://127.0.0.1:${port}/mcp`, {
      ...{ method: 'POST', body: CALL },
      headers: { ...CLIENT_HEADERS, authorization: `Bearer ${token}` },
    });
    await answer.arrayBuffer();
    const again = answer.headers.has('retry-after') ? ' with Retry-After' : '';
    const key = `answered ${answer.status}${again}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, 1000 / PROBES_PER_SECOND));
  }
  return counts;
}

function post(tokens: readonly string[]): LoadRequest {
  return { method: 'POST', path: '/mcp', headers: CLIENT_HEADERS, body: CALL, tokens };
}

function good({ identities }: Stage, { port }: RunningSubject): Promise<OpenLoopResult> {
  return runOpenLoop({
    ...{ port, request: post([identities.alice]), connections: 64 },
    ...{ requestsPerSecond: GOOD_PER_SECOND, seconds: SECONDS, expectedStatus: 200 },
    settlingSeconds: SETTLING_SECONDS,
  });
}
