/** What one line of the access log takes: like the one before, and unlike it. */
import {
  accessLine,
  createLineMemory,
  type AccessRecord,
  type LogFormat,
} from '../../../src/record/access-line.ts';
import { measure } from '../measure.ts';
import { anew } from '../subjects.ts';

const constant = {
  ...{ endedAtMs: 1_700_000_000_123.25, gateway: 'default/bench', listener: 'http' },
  ...{ route: 'default/bench', remotePort: 40_000, status: 200, subject: 'alice', error: null },
  ...{ durationMs: 0.7, reason: null, policy: null, rule: null, detail: null },
  ...{ backend: 'default/mcp', target: null, mcpTarget: 'mcp', sessionHash: null },
};
const recordsOf = (...methods: readonly [string, string]): readonly AccessRecord[] =>
  Array.from({ length: 64 }, (_, index) => ({
    ...{ ...constant, remoteAddress: anew('127.0.0.1'), method: anew(methods[index % 2] ?? '') },
    ...{ host: anew('127.0.0.1'), path: anew('/mcp'), mcpMethod: anew('tools/call') },
    toolName: anew('echo'),
  }));
const alike = recordsOf('POST', 'POST');
const unlike = recordsOf('POST', 'GET');
const block = Buffer.alloc(4096);
const memory = createLineMemory();
let at = 0;

function write(records: readonly AccessRecord[], format: LogFormat): unknown {
  at = (at + 1) % records.length;
  const record = records[at];
  return record === undefined ? null : block.write(accessLine(record, format, memory), 'latin1');
}

measure([
  { name: 'line as text, like the last: written', run: () => write(alike, 'text') },
  { name: 'line as text, unlike the last: written', run: () => write(unlike, 'text') },
  { name: 'line as JSON: written', run: () => write(alike, 'json') },
]);
