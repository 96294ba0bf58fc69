import type { Exchange } from '../exchange.ts';
import { jsonAnswer } from './fault.ts';
import type { McpRequest } from './message.ts';

const METHOD_NOT_FOUND = -32601;

/**
 * Answers `tasks/list` (MCP 2025-11-25) with no task: whose task an item of an upstream's list is can't be known, and
 * an id that is sealed for the caller is the caller's. The modern tasks extension has no such method.
 */
export function answerTasksList(exchange: Exchange, { id, era }: McpRequest): void {
  const { status, contentType, body } =
    era === 'modern'
      ? jsonAnswer(404, {
          jsonrpc: '2.0',
          id,
          error: { code: METHOD_NOT_FOUND, message: 'Method not found' },
        })
      : jsonAnswer(200, { jsonrpc: '2.0', id, result: { tasks: [] } });
  const { rule, responder, head, backend, carrier } = exchange;
  if (carrier !== null) {
    carrier.answer(exchange, Buffer.from(body));
    return;
  }
  const headers = ['content-type', contentType, ...(rule?.cors?.responseHeaders(head) ?? [])];
  backend?.mcp?.sealSession(exchange, headers);
  rule?.filters.modifyResponseHeaders?.(headers);
  exchange.status = status;
  responder.send(status, headers, body);
}
