/** The one cursor of a merged list: where the next page begins, sealed for its owner. */

import { isJsonObject, readJson } from '../../json/read-json.ts';
import type { SealBinding } from '../seal-binding.ts';
import type { Sealer } from '../seal.ts';

/** The first page that was not handed out yet. Targets are asked in their order. */
export interface ListPosition {
  readonly target: string;
  /** The target's own cursor; `null` for its first page. */
  readonly cursor: string | null;
}

const PURPOSE = 'cursor';

/**
 * Seals a position in the list that a method asks for; it expires as session ids do.
 *
 * @returns `null` where the target's cursor is too long
 */
export function sealCursor(
  sealer: Sealer,
  binding: SealBinding,
  method: string,
  { target, cursor }: ListPosition,
): string | null {
  const text = JSON.stringify({ [PURPOSE]: method, target, at: cursor });
  return sealer.seal('request', binding, text);
}

/** Opens what a client sent; `null` for another's, another list's, an expired one, or no cursor at all. */
export function openCursor(
  sealer: Sealer,
  binding: SealBinding,
  method: string,
  sealed: string,
): ListPosition | null {
  const opened = sealer.open('request', binding, sealed);
  if (opened === null) return null;
  const { value } = readJson(Buffer.from(opened.upstreamId), { maxDepth: 2, maxValues: 10 });
  if (!isJsonObject(value) || value[PURPOSE] !== method) return null;
  const { target, at: cursor } = value;
  if (typeof target !== 'string' || (cursor !== null && typeof cursor !== 'string')) return null;
  return { target, cursor };
}
