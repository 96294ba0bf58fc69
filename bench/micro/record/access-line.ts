/** What one line of the access log takes. */
import { accessLine, type AccessRecord } from '../../../src/record/access-line.ts';
import { measure } from '../measure.ts';

const record: AccessRecord = {
  ...{ endedAtMs: 1_700_000_000_123.25, gateway: 'default/bench', listener: 'http' },
  ...{ route: 'default/bench', remoteAddress: '127.0.0.1', remotePort: 40_000, method: 'POST' },
  ...{ host: '127.0.0.1', path: '/mcp', status: 200, subject: 'alice', error: null },
  ...{ durationMs: 0.7, reason: null, policy: null, rule: null, detail: null },
  ...{
    backend: 'default/mcp',
    target: 'mcp',
    mcpTarget: null,
    mcpMethod: 'tools/call',
    toolName: 'echo',
  },
  sessionHash: null,
};
const block = Buffer.alloc(4096);

measure([
  { name: 'line as text: written', run: () => block.write(accessLine(record, 'text'), 'latin1') },
  { name: 'line as JSON: written', run: () => block.write(accessLine(record, 'json'), 'latin1') },
]);
