import type { HeaderEdit, Exchange } from '../exchange.ts';
import type { Refusal } from '../errors.ts';
import { hiddenNameOf } from './hidden-name.ts';
import { hideObject } from './hide-object.ts';
import type { McpBackend } from './mcp-backend.ts';
import type { McpMessage } from './message.ts';
import { editHeaders, replaceBody } from './open-ids.ts';

/** Repeats an argument (MCP 2026-07-28, custom headers). */
const ARGUMENT_HEADER_PREFIX = 'mcp-param-';

/**
 * Turns a denied request into one for an object that nothing is called: the upstream answers it as it answers for
 * what it does not have, in its own words, framing and time, and the denial is kept for the record.
 *
 * @returns whether it was done; the exchange goes on as any other then
 */
export function askForNothing(
  exchange: Exchange,
  mcp: McpBackend,
  message: McpMessage,
  denial: Refusal,
): boolean {
  const { body, owner } = exchange;
  if (message.kind !== 'request' || body === null) return false;
  const binding = { owner, backend: mcp.name };
  const hidden = hideObject(
    mcp.sealer,
    binding,
    message,
    body,
    (kind, name) => mcp.locate(owner, kind, name)?.name ?? name,
  );
  if (hidden === null) return false;
  replaceBody(exchange, hidden.body, hidden.name);
  editHeaders(exchange, argumentHeaders(exchange));
  exchange.denial = denial;
  exchange.hiddenName = hiddenNameOf(hidden.name, hidden.ownName);
  return true;
}

function argumentHeaders({ head }: Exchange): readonly HeaderEdit[] {
  return head.headers
    .filter((name, index) => index % 2 === 0 && name.startsWith(ARGUMENT_HEADER_PREFIX))
    .map((name) => ({ name, value: null }));
}
