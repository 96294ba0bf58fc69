import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { runOpenLoop } from '../load/open-loop.ts';
import { CALL, CLIENT_HEADERS } from '../messages.ts';
import { startPostern } from '../subjects/postern.ts';
import type { Study } from './study.ts';

const PER_SECOND = 2000;
const SECONDS = 8;

/** Whether reloads cost anybody a request. */
export const reloadUnderLoad: Study = {
  name: 'reload',
  title: `${PER_SECOND} requests/s while the configuration is reloaded each half second`,
  async run(stage) {
    let resourceFile = '';
    const running = await stage.startSubject(
      {
        ...{ name: 'postern', duties: ['tool'], cachesTokens: '', version: () => '' },
        async start(setting) {
          const started = await startPostern(setting);
          resourceFile = started.resourceFile;
          return started;
        },
      },
      { duty: 'tool', workers: 1, accessLog: true },
    );
    try {
      const text = readFileSync(resourceFile, 'utf8');
      let reloads = 0;
      const timer = setInterval(() => {
        reloads += 1;
        writeFileSync(`${resourceFile}.new`, `${text}# ${reloads}\n`);
        renameSync(`${resourceFile}.new`, resourceFile);
      }, 500);
      const result = await runOpenLoop({
        ...{ port: running.port, connections: 32, requestsPerSecond: PER_SECOND },
        ...{ seconds: SECONDS, expectedStatus: 200 },
        request: {
          ...{ method: 'POST', path: '/mcp', headers: CLIENT_HEADERS, body: CALL },
          tokens: [stage.identities.alice],
        },
      });
      clearInterval(timer);
      return {
        reloads,
        requests: result.answered,
        failed: result.errors + result.unexpected,
        'p50 ms': result.p50Ms,
        'p99 ms': result.p99Ms,
      };
    } finally {
      await running.stop();
    }
  },
};
