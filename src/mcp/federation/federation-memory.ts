import { BoundedMap } from './bounded-map.ts';
import { createInputWaits, type InputSiblings, type InputWaits } from './eras/input-waits.ts';
import type { KnownTarget } from './eras/modern-sessions.ts';
import type { InFlight } from './in-flight.ts';
import type { KnownNames } from './name-index.ts';
import type { RenewedSessions } from './legacy-sessions.ts';
import { createSessionSettings, type SessionSettings } from './session-settings.ts';

/** What a worker remembers for its federations, over reloads; all of it is bounded, and none of it is needed. */
export interface FederationMemory {
  readonly renewed: BoundedMap<RenewedSessions>;
  readonly known: BoundedMap<KnownTarget>;
  readonly pooled: BoundedMap<KnownTarget>;
  readonly inFlight: BoundedMap<InFlight>;
  readonly names: BoundedMap<KnownNames>;
  readonly inputs: InputWaits;
  readonly settings: SessionSettings;
}

/**
 * @param siblings the other workers, to which a client's requests may come as well; `null` where there are none
 * @param monotonicNow milliseconds that only grow
 */
export function createFederationMemory(
  siblings: InputSiblings | null,
  monotonicNow: () => number,
): FederationMemory {
  return {
    renewed: new BoundedMap(10_000),
    known: new BoundedMap(5000),
    pooled: new BoundedMap(1000),
    inFlight: new BoundedMap(50_000),
    names: new BoundedMap(200),
    inputs: createInputWaits(siblings),
    settings: createSessionSettings({ siblings, monotonicNow }),
  };
}
