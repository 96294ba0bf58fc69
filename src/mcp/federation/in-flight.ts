import type { RequestId } from '../message.ts';
import type { FederatedCall } from './federated-call.ts';

/** A client's request that a target has in hand. */
export interface InFlight {
  readonly target: string;
  /** Ends it at a target of the modern era, which knows no other cancellation; `null`: the target is told. */
  readonly cancel: (() => void) | null;
}

/** Where a client's running request is looked up: ids are unique in a session. */
export function inFlightKey(backend: string, call: FederatedCall, id: RequestId): string {
  return `${backend} ${call.session?.key ?? ''} ${JSON.stringify(id)}`;
}
