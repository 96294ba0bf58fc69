/**
 * Event ids of streams (WHATWG HTML, 9.2; MCP up to 2025-11-25, Resumability): who has one can have the events
 * after it replayed, and servers find the stream by it alone, whoever's it is. So the client gets a sealed id.
 */

import type { SealBinding } from './seal-binding.ts';
import type { Sealer } from './seal.ts';

export const LAST_EVENT_ID_HEADER = 'last-event-id';

/** Longest event id of an upstream, in octets: it comes back in a header field. */
export const maxEventIdBytes = 1024;

/** What no header field can hold (RFC 9110, 5.5). */
const CONTROL_CHARACTER = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * Seals an event id for its owner and session.
 *
 * @returns `null` where it is too long or could not be sent back, so that it is better left out
 */
export function sealEventId(sealer: Sealer, binding: SealBinding, eventId: string): string | null {
  if (Buffer.byteLength(eventId) > maxEventIdBytes || CONTROL_CHARACTER.test(eventId)) return null;
  return sealer.sealLasting('event', binding, eventId);
}

/** Opens what a client sent; `null` where it is another's, of another session or backend, or made up. */
export function openEventId(sealer: Sealer, binding: SealBinding, sealed: string): string | null {
  return sealer.openLasting('event', binding, sealed);
}
