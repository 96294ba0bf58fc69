/** Closed-loop load: each connection sends its next request when the last one is answered. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inFolder, runProgram } from './program.ts';
import type { LoadOptions, LoadResult } from './request.ts';

const autocannonFile = fileURLToPath(new URL('autocannon-process.ts', import.meta.url));

/** Runs autocannon in a process of its own. */
export async function runAutocannon(options: LoadOptions): Promise<LoadResult> {
  return inFolder(async (folder) => {
    const job = join(folder, 'job.json');
    writeFileSync(job, JSON.stringify(options));
    const { text } = await runProgram(options, process.execPath, [
      '--import',
      import.meta.resolve('tsx'),
      autocannonFile,
      job,
    ]);
    // autocannon-process.ts wrote it.
    return JSON.parse(text) as LoadResult;
  });
}

/** Runs wrk with one thread; its own CPU is read from /proc while it runs. */
export async function runWrk(options: LoadOptions): Promise<LoadResult> {
  return inFolder(async (folder) => {
    const script = join(folder, 'load.lua');
    const tokens = join(folder, 'tokens.txt');
    writeFileSync(tokens, options.request.tokens.join('\n'));
    writeFileSync(script, luaScript(options, tokens));
    const { text, cpuNanoseconds } = await runProgram(options, 'wrk', [
      '-t1',
      `-c${options.connections}`,
      `-d${options.seconds}s`,
      '--timeout=10s',
      '-s',
      script,
      `http://127.0.0.1:${options.port}`,
    ]);
    const [, json] = /^BENCH (.*)$/m.exec(text) ?? [];
    if (json === undefined) throw new Error(`wrk said: ${text.slice(0, 1000)}`);
    // Written by our own script.
    const seen = JSON.parse(json) as Omit<LoadResult, 'tool' | 'cpuNanoseconds'>;
    return { tool: 'wrk', ...seen, cpuNanoseconds };
  });
}

function luaScript({ request, expectedStatus }: LoadOptions, tokenFile: string): string {
  const headers = Object.entries(request.headers)
    .map(([name, value]) => `wrk.headers[${lua(name)}] = ${lua(value)}`)
    .join('\n');
  const rotation =
    request.tokens.length === 0
      ? ''
      : `local requests, at = {}, 0
function init(args)
  for token in io.lines(${lua(tokenFile)}) do
    wrk.headers["authorization"] = "Bearer " .. token
    requests[#requests + 1] = wrk.format()
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end`;
  return `wrk.method = ${lua(request.method)}
wrk.path = ${lua(request.path)}
${request.body === '' ? '' : `wrk.body = ${lua(request.body)}`}
${headers}
${rotation}
local threads = {}
unexpected = 0
function setup(thread) threads[#threads + 1] = thread end
function response(status) if status ~= ${expectedStatus} then unexpected = unexpected + 1 end end
function done(summary, latency)
  local wrong = 0
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("unexpected") end
  local e = summary.errors
  io.write(string.format('\\nBENCH {"seconds":%f,"requests":%d,"unexpected":%d,"errors":%d,"p50Ms":%f,"p99Ms":%f,"p999Ms":%f}\\n',
    summary.duration / 1e6, summary.requests, wrong, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000))
end
`;
}

function lua(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
