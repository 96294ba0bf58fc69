import { runAutocannon, runWrk } from './closed-loop.ts';
import { runH2load, unfitForH2load } from './h2load.ts';
import { isInstalled } from './program.ts';
import type { LoadOptions, LoadResult, LoadTool } from './request.ts';

/** Where a tool that is no npm package comes from. */
const packages = { wrk: 'wrk', h2load: 'nghttp2-client' } as const;

/**
 * The tool that a user asked for.
 *
 * @param name a tool, or `auto` for {@link bestTool}
 * @throws Error for another name, and for a tool that is not installed; it says how to install it
 */
export function chooseTool(
  name: string,
  has: (program: string) => boolean = isInstalled,
): LoadTool {
  if (name === 'auto') return bestTool(has);
  if (name === 'autocannon') return name;
  if (name !== 'wrk' && name !== 'h2load') {
    throw new Error(`no load tool ${name}; there are autocannon, wrk, h2load and auto`);
  }
  if (has(name)) return name;
  throw new Error(
    `${name} is not installed: apt-get install ${packages[name]} (Debian, Ubuntu), or --load autocannon`,
  );
}

/** What is installed and leaves the proxy most of the machine; autocannon, which is always there, leaves least. */
export function bestTool(has: (program: string) => boolean = isInstalled): LoadTool {
  return (['wrk', 'h2load'] as const).find((tool) => has(tool)) ?? 'autocannon';
}

/**
 * Runs a load with a tool, or with autocannon where the tool can't do it; the result names the one that did.
 *
 * @throws Error when the tool fails
 */
export function runLoad(job: LoadOptions, tool: LoadTool): Promise<LoadResult> {
  switch (tool) {
    case 'autocannon':
      return runAutocannon(job);
    case 'wrk':
      // It can't stop after a number of requests.
      return job.maxRequests === undefined ? runWrk(job) : runAutocannon(job);
    case 'h2load':
      return unfitForH2load(job) === null ? runH2load(job) : runAutocannon(job);
  }
}
