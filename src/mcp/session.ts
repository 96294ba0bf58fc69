/**
 * The session id of Streamable HTTP (MCP 2025-03-26 to 2025-11-25): what the client holds is sealed for its
 * owner and the backend, what the upstream gets is its own.
 */

import { headerValue, type HeaderFields } from '../accept/request-head.ts';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { SealBinding, SealOwner } from './seal-binding.ts';
import { hashSessionId, type OpenedId, type Sealer } from './seal.ts';

export const SESSION_HEADER = 'mcp-session-id';

/** What session ids are sealed with and bound to. */
export interface SessionBackend {
  /** `namespace/name`. */
  readonly name: string;
  readonly sealer: Sealer;
}

/** The session of a request. */
export interface OpenedSession {
  /** What the client sent; `null` where it named its session in another way. */
  readonly sealed: string | null;
  /** The upstream's own id. */
  readonly upstreamId: string;
  /** For the log, from which the id can't be found. */
  readonly hash: string;
  /** Whether the client should get a new sealed id. */
  readonly needsReseal: boolean;
}

/** The session that a head names, with what it was opened for. */
export interface RememberedSession {
  readonly owner: SealOwner;
  readonly mcp: SessionBackend;
  readonly opened: OpenedId;
  readonly session: OpenedSession;
}

/**
 * Opens the session id of a request. That takes more time than all else that is done for it, and so it is done once
 * for a head that comes again and again.
 *
 * @returns the session, `null` where the request names none; SESSION_UNKNOWN (404, as for a session that has
 *   ended) where the id was not sealed here for this principal and backend, or has expired
 */
export function openSession(
  exchange: Exchange,
  mcp: SessionBackend,
): OpenedSession | null | Refusal {
  const { findings, owner } = exchange;
  const known = findings?.session ?? null;
  if (
    known !== null &&
    known.owner === owner &&
    known.mcp === mcp &&
    mcp.sealer.isFresh(known.opened)
  ) {
    return known.session;
  }
  const sealed = headerValue(exchange.head.headers, SESSION_HEADER);
  if (sealed === undefined) return null;
  const opened = mcp.sealer.open('session', bindingOf(exchange, mcp), sealed);
  if (opened === null) return new Refusal('SESSION_UNKNOWN');
  const { upstreamId, needsReseal } = opened;
  const session = { sealed, upstreamId, needsReseal, hash: hashSessionId(upstreamId) };
  if (findings !== null) findings.session = { owner, mcp, opened, session };
  return session;
}

/**
 * Seals the session id in the header fields of an answer, in place. An upstream that names none gets none
 * invented, but a sealed id that is getting old is renewed; where the upstream names the client's session, a younger one
 * is sent back as it came. An id that can't be sealed is left out.
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
  if (
    session !== null &&
    session.sealed !== null &&
    session.upstreamId === upstreamId &&
    !session.needsReseal
  ) {
    headers.push(SESSION_HEADER, session.sealed);
    return;
  }
  const sealed = mcp.sealer.seal('session', bindingOf(exchange, mcp), upstreamId);
  if (sealed !== null) headers.push(SESSION_HEADER, sealed);
}

function bindingOf({ owner }: Exchange, { name }: SessionBackend): SealBinding {
  return { owner, backend: name };
}
