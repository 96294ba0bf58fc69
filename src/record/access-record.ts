import type { Exchange } from '../exchange.ts';
import type { McpMessage } from '../mcp/message.ts';
import type { Milliseconds } from '../units.ts';
import type { AccessRecord } from './access-line.ts';

/** Logged as the status of a request whose client went away before an answer began. */
const clientClosedStatus = 499;

/** What the access log says of an exchange that is over. */
export function accessRecordOf(exchange: Exchange, durationMs: Milliseconds): AccessRecord {
  const { head, listener, rule, upstream } = exchange;
  const refusal = exchange.denial ?? exchange.refusal;
  const isMcp = exchange.backend?.mcp != null;
  return {
    endedAtMs: exchange.startedAtMs + durationMs,
    gateway: listener?.gateway ?? null,
    listener: listener?.name ?? null,
    route: rule?.route ?? null,
    remoteAddress: head.remoteAddress,
    remotePort: head.remotePort,
    method: head.method,
    host: head.host,
    path: head.path,
    status: statusOf(exchange),
    subject: exchange.principal?.subject ?? null,
    error: refusal?.text ?? null,
    durationMs,
    reason: refusal?.kind.reason ?? null,
    policy: refusal?.policy ?? null,
    rule: refusal?.rule ?? null,
    detail: refusal?.detail ?? exchange.note,
    backend: upstream?.backendName ?? null,
    target: isMcp ? null : (upstream?.targetName ?? null),
    mcpTarget: isMcp ? (upstream?.targetName ?? null) : null,
    mcpMethod: methodOf(exchange.message),
    toolName: toolOf(exchange.message),
    sessionHash: exchange.session?.hash ?? null,
  };
}

/** The status that was sent; where none was, that of the refusal, 499 for a client that went away. */
export function statusOf({ status, refusal }: Exchange): number {
  if (status !== 0) return status;
  return refusal?.status ?? clientClosedStatus;
}

function methodOf(message: McpMessage | null): string | null {
  return message === null || message.kind === 'response' ? null : message.method;
}

function toolOf(message: McpMessage | null): string | null {
  if (message?.kind !== 'request' || message.object?.type !== 'tool') return null;
  return message.object.name;
}
