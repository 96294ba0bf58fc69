/** What a rule takes for a caller whose decision is remembered, and for one whose is not. */
import { createMcpAuthorizer } from '../../../src/authorize/mcp-authorizer.ts';
import type { PolicySubject } from '../../../src/authorize/authorizer.ts';
import type { McpCall } from '../../../src/authorize/mcp-call.ts';
import { measure } from '../measure.ts';
import { head } from '../subjects.ts';

const authorizer = createMcpAuthorizer([
  {
    plan: {
      ...{ policy: 'default/tool', policyKind: 'GlooTrafficPolicy', action: 'Allow', onDeny: null },
      expressions: ['jwt.team == "tools" && mcp.tool.name == "echo"'],
    },
    target: null,
  },
]);
const subject: PolicySubject = { ...head, claims: { team: 'tools' }, startedAtMs: 0 };
const call: McpCall = {
  ...{ kind: 'tool', name: 'echo', target: 'mcp', protocolVersion: null },
  ...{ method: 'tools/call', arguments: {}, completion: null },
};

measure([
  { name: 'rule: decision remembered', run: () => authorizer.decide(subject, call) },
  {
    name: 'rule: evaluated',
    run: () => authorizer.decide({ ...subject, claims: { team: 'tools' } }, call),
  },
]);
