/**
 * The session id of Streamable HTTP (MCP 2025-03-26 to 2025-11-25): what the client holds is sealed for its
 * owner and the backend, what the upstream gets is its own.
 */

import { headerValue, type HeaderFields } from '../accept/request-head.ts';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { SealBinding } from './seal-binding.ts';
import { hashSessionId, type Sealer } from './seal.ts';

export const SESSION_HEADER = 'mcp-session-id';

/** What session ids are sealed with and bound to. */
export interface SessionBackend {
  /** `namespace/name`. */
  readonly name: string;
  readonly sealer: Sealer;
}

/** The session of a request. */
export interface OpenedSession {
  /** The upstream's own id. */
  readonly upstreamId: string;
  /** For the log, from which the id can't be found. */
  readonly hash: string;
  /** Whether the client should get a new sealed id. */
  readonly needsReseal: boolean;
}

/**
 * Opens the session id of a request.
 *
 * @returns the session, `null` where the request names none; SESSION_UNKNOWN (404, as for a session that has
 *   ended) where the id was not sealed here for this principal and backend, or has expired
 */
export function openSession(
  exchange: Exchange,
  mcp: SessionBackend,
): OpenedSession | null | Refusal {
  const sealed = headerValue(exchange.head.headers, SESSION_HEADER);
  if (sealed === undefined) return null;
  const opened = mcp.sealer.open('session', bindingOf(exchange, mcp), sealed);
  if (opened === null) return new Refusal('SESSION_UNKNOWN');
  const { upstreamId, needsReseal } = opened;
  return { upstreamId, needsReseal, hash: hashSessionId(upstreamId) };
}

/**
 * Seals the session id in the header fields of an answer, in place. An upstream that names none gets none
 * invented, but a sealed id that is getting old is renewed. An id that can't be sealed is left out.
 */
export function sealSession(exchange: Exchange, mcp: SessionBackend, headers: HeaderFields): void {
  const named = headerValue(headers, SESSION_HEADER);
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if (headers[index] === SESSION_HEADER) headers.splice(index, 2);
  }
  const { session } = exchange;
  if (named !== undefined && session === null) exchange.hasOpenedSession = true;
  const upstreamId = named ?? (session?.needsReseal === true ? session.upstreamId : undefined);
  if (upstreamId === undefined) return;
  const sealed = mcp.sealer.seal('session', bindingOf(exchange, mcp), upstreamId);
  if (sealed !== null) headers.push(SESSION_HEADER, sealed);
}

function bindingOf({ owner }: Exchange, { name }: SessionBackend): SealBinding {
  return { owner, backend: name };
}
