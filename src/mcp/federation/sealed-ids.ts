/**
 * Ids that cross a federation. What a client gets in place of a server's id names the target, authentic and bound to
 * the owner: an answer can go to nobody but who asked, and no target can use another's ids.
 */

import type { SealOwner } from '../seal-binding.ts';
import type { Sealer } from '../seal.ts';

/**
 * - `request`: of a request that a server sent;
 * - `server-token`: the progress token in such a request;
 * - `client-token`: the progress token of a client's request, as the target gets it;
 * - `input`: of a request that the gate made of an `input_required` result.
 */
export type IdPurpose = 'request' | 'server-token' | 'client-token' | 'input';

export interface CrossingId {
  readonly target: string;
  /** The JSON text of the id, octet by octet: `7` and `"7"` are two ids. */
  readonly raw: string;
}

export interface IdSealer {
  /** The same each time; `null` where the id is too long. */
  seal(owner: SealOwner, purpose: IdPurpose, id: CrossingId): string | null;
  /** `null` for what was not sealed here for this owner, backend and purpose. */
  open(owner: SealOwner, purpose: IdPurpose, sealed: string): CrossingId | null;
}

export function createIdSealer(sealer: Sealer, backend: string): IdSealer {
  return {
    seal: (owner, purpose, { target, raw }) =>
      sealer.sealLasting('request', { owner, backend }, `${purpose} ${target} ${raw}`),
    open(owner, purpose, sealed) {
      const text = sealer.openLasting('request', { owner, backend }, sealed);
      if (text?.startsWith(`${purpose} `) !== true) return null;
      const targetStart = purpose.length + 1;
      const targetEnd = text.indexOf(' ', targetStart);
      if (targetEnd < 0) return null;
      return { target: text.slice(targetStart, targetEnd), raw: text.slice(targetEnd + 1) };
    },
  };
}
