/**
 * Task ids (MCP 2025-11-25, Tasks; the tasks extension of 2026-07-28): who has one can read the results of what it
 * stands for, and an upstream that sees one caller alone can't tell whose it is. So the client gets a sealed id.
 */

import type { SealBinding } from './seal-binding.ts';
import type { Sealer } from './seal.ts';

/** A task of an upstream. */
export interface UpstreamTask {
  /** The target that knows it, or the empty string where the backend has one target. */
  readonly target: string;
  /** The upstream's own id. */
  readonly id: string;
}

/** Between target and id; no name of a target has it. */
const SEPARATOR = '\0';

/**
 * Seals a task id for its owner; the same each time, since clients compare it.
 *
 * @returns `null` where the id is empty, too long or not well-formed Unicode, as {@link Sealer.sealLasting} says
 */
export function sealTask(
  sealer: Sealer,
  { owner, backend }: SealBinding,
  { target, id }: UpstreamTask,
): string | null {
  if (id === '') return null;
  return sealer.sealLasting('task', { owner, backend }, target + SEPARATOR + id);
}

/** Opens what a client sent; `null` where it is another's, of another backend, or was not made by `sealTask`. */
export function openTask(
  sealer: Sealer,
  { owner, backend }: SealBinding,
  sealed: string,
): UpstreamTask | null {
  const text = sealer.openLasting('task', { owner, backend }, sealed);
  const separator = text?.indexOf(SEPARATOR) ?? -1;
  if (text === null || separator < 0) return null;
  return { target: text.slice(0, separator), id: text.slice(separator + 1) };
}
