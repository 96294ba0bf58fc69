import { runAutocannon } from '../load/closed-loop.ts';
import { runOpenLoop, type OpenLoopResult } from '../load/open-loop.ts';
import type { LoadRequest } from '../load/request.ts';
import { CALL, CLIENT_HEADERS } from '../messages.ts';
import type { Stage } from '../stage.ts';
import { postern } from '../subjects/postern.ts';
import type { RunningSubject } from '../subjects/subject.ts';
import type { Study } from './study.ts';

const GOOD_PER_SECOND = 2000;
const SECONDS = 6;

/** What good clients notice while others flood the gate with requests that it refuses, or must verify. */
export const flood: Study = {
  name: 'flood',
  title: `good clients (${GOOD_PER_SECOND}/s, cached token) while others flood`,
  async run(stage) {
    const running = await stage.startSubject(postern, {
      ...{ duty: 'tool', workers: 1, accessLog: true },
    });
    try {
      const found: Record<string, number> = {};
      const note = (name: string, { p50Ms, p99Ms, errors, unexpected }: OpenLoopResult): void => {
        found[`${name}: p50 ms`] = p50Ms;
        found[`${name}: p99 ms`] = p99Ms;
        found[`${name}: failed`] = errors + unexpected;
      };
      await good(stage, running);
      note('alone', await good(stage, running));
      const { forged } = stage.identities;
      const bad: readonly (readonly [string, LoadRequest, number])[] = [
        ['anonymous flood', post([]), 403],
        ['garbage flood', post(['garbage.in.garbage-out']), 403],
        ['bad signature flood', post([forged]), 403],
        ['cold RS256 flood', post(stage.identities.many(60_000)), 200],
      ];
      for (const [name, request, expectedStatus] of bad) {
        const flooding = runAutocannon({
          ...{ port: running.port, request, connections: 32, expectedStatus },
          ...{ seconds: SECONDS + 2, cores: stage.loadCores },
        });
        await new Promise((resolve) => setTimeout(resolve, 1000));
        note(name, await good(stage, running));
        const { requests, seconds, unexpected } = await flooding;
        found[`${name}: answered a second`] = requests / seconds;
        found[`${name}: other answers`] = unexpected;
      }
      return found;
    } finally {
      await running.stop();
    }
  },
};

function post(tokens: readonly string[]): LoadRequest {
  return { method: 'POST', path: '/mcp', headers: CLIENT_HEADERS, body: CALL, tokens };
}

function good({ identities }: Stage, { port }: RunningSubject): Promise<OpenLoopResult> {
  return runOpenLoop({
    ...{ port, request: post([identities.alice]), connections: 32 },
    ...{ requestsPerSecond: GOOD_PER_SECOND, seconds: SECONDS, expectedStatus: 200 },
  });
}
