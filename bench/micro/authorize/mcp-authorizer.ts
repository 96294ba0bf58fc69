/** What a rule takes for a caller whose decision is remembered, and for one whose is not. */
import type { McpCall } from '../../../src/authorize/mcp-call.ts';
import { PrincipalFindings } from '../../../src/principal-findings.ts';
import { measure } from '../measure.ts';
import { toolAuthorizer, toolCaller } from '../subjects.ts';

const call: McpCall = {
  ...{ kind: 'tool', name: 'echo', target: 'mcp', protocolVersion: null },
  ...{ method: 'tools/call', arguments: {}, completion: null },
};

const claims = { team: 'tools' };

measure([
  { name: 'rule: decision remembered', run: () => toolAuthorizer.decide(toolCaller, call) },
  {
    name: 'rule: evaluated',
    run: () => {
      const principal = { claims, findings: new PrincipalFindings() };
      return toolAuthorizer.decide({ ...toolCaller, principal }, call);
    },
  },
]);
