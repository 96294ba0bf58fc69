import { randomInt } from 'node:crypto';
import { Agent } from 'node:http';
import { sendMcp } from '../../test/harness/http-client.ts';
import { glooPolicy, KGATEWAY_GROUP, rbac } from '../../test/harness/resources.ts';
import type { Study } from './study.ts';

const WARM_UP = 2000;
const ASKED = 20_000;

/** Denied, and allowed where there is none; of the same length. */
const names = ['secret', 'absent'] as const;

/**
 * Whether the time tells a denied tool from one that is not there (on-deny `hide`): both are asked for in random
 * order, one after the other on one connection, of a server that answers in JSON at once.
 */
export const hiddenNames: Study = {
  name: 'hidden-names',
  title: 'the latency of a hidden tool beside that of one that is not there',
  async run() {
    // What they import prints a report of no tests into every run of the suite.
    const { startFakeUpstream } = await import('../../test/harness/fake-upstream.ts');
    const { startGate } = await import('../../test/harness/gate.ts');
    const endings: (() => unknown)[] = [];
    const scope = { after: (ending: () => unknown) => void endings.unshift(ending) };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const upstream = await startFakeUpstream(scope, ({ body }, response) => {
        const { params } = JSON.parse(body) as { params: { name: string } };
        const error = { code: -32602, message: `Unknown tool: ${params.name}` };
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ jsonrpc: '2.0', id: 7, error }));
      });
      const target = { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' };
      const rules = glooPolicy(rbac('mcp.tool.name != "secret"'), { name: 'tools', target });
      const gate = await startGate(scope, { upstreamPort: upstream.port, more: [rules] });
      const ms: Record<(typeof names)[number], number[]> = { secret: [], absent: [] };
      for (let index = 0; index < WARM_UP + ASKED; index += 1) {
        const name = names[randomInt(2)] ?? 'absent';
        const params = { name, arguments: { a: 'b' } };
        const message = { jsonrpc: '2.0', id: 7, method: 'tools/call', params };
        const startedAt = performance.now();
        const { text } = await sendMcp(gate.port, message, { agent });
        const took = performance.now() - startedAt;
        if (!text.includes(`Unknown tool: ${name}`)) throw new Error(text);
        if (index >= WARM_UP) ms[name].push(took);
      }
      return report(ms.secret, ms.absent);
    } finally {
      agent.destroy();
      for (const ending of endings) await ending();
    }
  },
};

function report(denied: number[], absent: number[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, times] of [
    ['denied', denied],
    ['absent', absent],
  ] as const) {
    times.sort((one, other) => one - other);
    for (const percent of [10, 50, 90, 99]) {
      const at = Math.floor((times.length * percent) / 100);
      found[`${name}: p${percent} us`] = (times[at] ?? 0) * 1000;
    }
  }
  return { ...found, 'share of pairs in which denied is slower': shareSlower(denied, absent) };
}

/** 0.5: one answer's time tells nothing (Mann and Whitney). Both sorted. */
function shareSlower(denied: readonly number[], absent: readonly number[]): number {
  let below = 0;
  let pairs = 0;
  for (const time of denied) {
    while (below < absent.length && (absent[below] ?? 0) < time) below += 1;
    pairs += below;
  }
  return pairs / (denied.length * absent.length);
}
