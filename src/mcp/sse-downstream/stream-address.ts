import { readJson } from '../../json/read-json.ts';
import type { SealBinding } from '../seal-binding.ts';
import type { Sealer } from '../seal.ts';

const LIMITS = { maxDepth: 1, maxValues: 3 };

/** Where a stream is: which worker holds it, and its name there. */
export interface StreamAddress {
  readonly workerId: string;
  readonly streamId: string;
}

/**
 * The `sessionId` that a client posts to: sealed for one owner and one backend.
 *
 * @returns letters, digits, `-` and `_`; `null` where it can't be sealed
 */
export function sealAddress(
  sealer: Sealer,
  binding: SealBinding,
  { workerId, streamId }: StreamAddress,
): string | null {
  return sealer.seal('sse', binding, JSON.stringify([workerId, streamId]));
}

/** Opens a `sessionId`; `null` where it was not sealed for this owner and backend, or is too old. */
export function openAddress(
  sealer: Sealer,
  binding: SealBinding,
  sessionId: string,
): StreamAddress | null {
  const opened = sealer.open('sse', binding, sessionId);
  if (opened === null) return null;
  const { value: parts } = readJson(Buffer.from(opened.upstreamId), LIMITS);
  if (!Array.isArray(parts)) return null;
  const [workerId, streamId] = parts as readonly unknown[];
  if (typeof workerId !== 'string' || typeof streamId !== 'string') return null;
  return { workerId, streamId };
}
