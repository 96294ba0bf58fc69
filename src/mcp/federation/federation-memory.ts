import { BoundedMap } from './bounded-map.ts';
import { createInputWaits, type InputSiblings, type InputWaits } from './eras/input-waits.ts';
import type { KnownTarget } from './eras/modern-sessions.ts';
import type { InFlight } from './in-flight.ts';
import type { KnownNames } from './name-index.ts';
import type { RenewedSessions } from './legacy-sessions.ts';

/** What a worker remembers for its federations, over reloads; all of it is bounded, and none of it is needed. */
export interface FederationMemory {
  readonly renewed: BoundedMap<RenewedSessions>;
  readonly known: BoundedMap<KnownTarget>;
  readonly pooled: BoundedMap<KnownTarget>;
  readonly inFlight: BoundedMap<InFlight>;
  readonly names: BoundedMap<KnownNames>;
  readonly inputs: InputWaits;
}

/** @param siblings the other workers, to which a client's answer may come; `null` where there are none */
export function createFederationMemory(siblings: InputSiblings | null): FederationMemory {
  return {
    renewed: new BoundedMap(10_000),
    known: new BoundedMap(1000),
    pooled: new BoundedMap(1000),
    inFlight: new BoundedMap(50_000),
    names: new BoundedMap(200),
    inputs: createInputWaits(siblings),
  };
}
