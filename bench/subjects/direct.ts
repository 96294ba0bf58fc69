import type { Subject } from './subject.ts';

/** No proxy at all: what the load tool and the upstream reach by themselves. */
export const direct: Subject = {
  name: 'direct',
  duties: ['plain'],
  cachesTokens: '-',
  version: () => '-',
  start: (setting) =>
    Promise.resolve({ port: setting.upstreamPort, pid: 0, stop: () => Promise.resolve() }),
};
