/** What the micro benchmarks work on: the request of the headline. */
import type { RequestHead } from '../../src/accept/request-head.ts';
import type { PolicySubject } from '../../src/authorize/authorizer.ts';
import { createDecisionMemo } from '../../src/authorize/decision-memo.ts';
import { createMcpAuthorizer } from '../../src/authorize/mcp-authorizer.ts';
import { PrincipalFindings } from '../../src/principal-findings.ts';
import { createIdentities } from '../tokens.ts';

export const { alice } = createIdentities();

export const head: RequestHead = {
  ...{ method: 'POST', path: '/mcp', query: null, host: '127.0.0.1', authority: '127.0.0.1:8080' },
  ...{ scheme: 'http', remoteAddress: '127.0.0.1', remotePort: null },
  headers: [
    ...['host', '127.0.0.1:8080', 'content-type', 'application/json'],
    ...['accept', 'application/json, text/event-stream', 'mcp-protocol-version', '2025-11-25'],
    ...['authorization', `Bearer ${alice}`, 'content-length', '110'],
  ],
};

/** Who may call the tool of the headline, by the rule of its Backend. */
export const toolAuthorizer = createMcpAuthorizer(
  [
    {
      plan: {
        ...{ policy: 'default/tool', policyKind: 'GlooTrafficPolicy', action: 'Allow' },
        ...{ onDeny: null, expressions: ['jwt.team == "tools" && mcp.tool.name == "echo"'] },
      },
      target: null,
    },
  ],
  createDecisionMemo(32_768),
);
export const toolCaller: PolicySubject = {
  ...head,
  principal: { claims: { team: 'tools' }, findings: new PrincipalFindings() },
  startedAtMs: 0,
};

/** The same text as a new string, of which nothing is known yet: as it comes from the native server. */
export function anew(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
