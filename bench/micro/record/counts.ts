/** What it takes to count a request: like the one before, and unlike it. */
import { createMcpCounts } from '../../../src/record/mcp-counts.ts';
import { createRequestCounts } from '../../../src/record/request-counts.ts';
import { measure } from '../measure.ts';
import { anew } from '../subjects.ts';

const requests = createRequestCounts();
const series = requests.series({ gateway: 'a', listener: 'b', route: 'c', backend: 'd' });
const mcp = createMcpCounts();
mcp.learnTools('default/mcp', 'mcp', ['echo', 'add']);

const same = Array.from({ length: 64 }, () => anew('POST'));
const mixed = same.map((_, index) => anew(index % 2 === 0 ? 'POST' : 'GET'));
const sameTool = same.map(() => anew('echo'));
const mixedTools = same.map((_, index) => anew(index % 2 === 0 ? 'echo' : 'add'));
let at = 0;

function countRequest(methods: readonly string[]): void {
  at = (at + 1) % methods.length;
  series.observe(methods[at] ?? '', 200, null, 0.7, 0.4);
}

function countCall(tools: readonly string[]): void {
  at = (at + 1) % tools.length;
  mcp.target('default/mcp', 'mcp').observe('tools/call', tools[at] ?? '', 'ok', 0.7);
}

measure([
  { name: 'request like the last: counted', run: () => countRequest(same) },
  { name: 'request unlike the last: counted', run: () => countRequest(mixed) },
  { name: 'call like the last: counted', run: () => countCall(sameTool) },
  { name: 'call unlike the last: counted', run: () => countCall(mixedTools) },
]);
