/** What all routes of a federation share. */

import type { Upstream } from '../../forward/upstream.ts';
import type { Milliseconds } from '../../units.ts';
import type { Sealer } from '../seal.ts';
import type { BoundedMap } from './bounded-map.ts';
import type { FederatedCall, TargetSessions } from './federated-call.ts';
import type { InputWaits } from './eras/input-waits.ts';
import type { InFlight } from './in-flight.ts';
import type { LegacySessions } from './legacy-sessions.ts';
import type { LocateFor } from './locate.ts';
import type { NameIndex } from './name-index.ts';
import type { IdSealer } from './sealed-ids.ts';
import type { SessionSettings } from './session-settings.ts';

export type FailureMode = 'FailClosed' | 'FailOpen';

export interface FederationParts {
  /** `namespace/name` of the Backend. */
  readonly backend: string;
  /** Of the gate. */
  readonly version: string;
  /** In the order of the resources; later ones lose where names meet. */
  readonly targets: readonly Upstream[];
  readonly isPrefixed: boolean;
  readonly failureMode: FailureMode;
  /** Bounds what a target is given in a fan-out. */
  readonly timeoutMs: Milliseconds;
  readonly sealer: Sealer;
  readonly ids: IdSealer;
  readonly legacy: LegacySessions;
  readonly modern: TargetSessions;
  readonly settings: SessionSettings;
  /** The running requests of legacy clients, by session and id. */
  readonly inFlight: BoundedMap<InFlight>;
  /** What modern targets want to know of legacy clients. */
  readonly inputs: InputWaits;
  readonly locate: LocateFor;
  /** Where names carry no target: what is known of them. */
  readonly names: NameIndex | null;
  /** The reason in the words of the log. */
  readonly onTargetFailed: (backend: string, target: string, reason: string) => void;
  readonly onTools: (backend: string, target: string, names: readonly string[]) => void;
}

/** A target that did not do its part. */
export interface TargetFailure {
  readonly target: string;
  readonly reason: string;
}

/**
 * Reports targets that failed in a fan-out.
 *
 * @param asked how many were asked
 * @returns whether the whole fails: with FailClosed if any did, with FailOpen if all did
 */
export function failsWhole(
  parts: FederationParts,
  call: FederatedCall,
  failures: readonly TargetFailure[],
  asked: number,
): boolean {
  if (failures.length === 0) return false;
  for (const { target, reason } of failures) parts.onTargetFailed(parts.backend, target, reason);
  const names = failures.map(({ target, reason }) => `${target} (${reason})`).join(', ');
  const fails = parts.failureMode === 'FailClosed' || failures.length === asked;
  call.note(`${fails ? 'failed for want of' : 'answered without'} ${names}`);
  return fails;
}
