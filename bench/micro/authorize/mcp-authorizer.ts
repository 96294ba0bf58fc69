/** What a rule takes for a caller whose decision is remembered, and for one whose is not. */
import type { McpCall } from '../../../src/authorize/mcp-call.ts';
import { measure } from '../measure.ts';
import { toolAuthorizer, toolCaller } from '../subjects.ts';

const call: McpCall = {
  ...{ kind: 'tool', name: 'echo', target: 'mcp', protocolVersion: null },
  ...{ method: 'tools/call', arguments: {}, completion: null },
};

measure([
  { name: 'rule: decision remembered', run: () => toolAuthorizer.decide(toolCaller, call) },
  {
    name: 'rule: evaluated',
    run: () => toolAuthorizer.decide({ ...toolCaller, claims: { team: 'tools' } }, call),
  },
]);
