/** What the primary and its workers say to each other over the IPC channel. */

import type { FetchedKeySet } from '../authenticate/key-set-store.ts';
import type { Plan } from '../plan.ts';
import type { Milliseconds } from '../units.ts';

export type ToWorker =
  /** Put this plan in force, with what others have fetched for it. Answered with `applied` or `refused`. */
  | { readonly type: 'apply'; readonly plan: Plan; readonly keySets: readonly FetchedKeySet[] }
  /** Finish what is running, accept nothing new, then exit. */
  | { readonly type: 'drain' }
  /** What another worker says; see `siblings.ts`. */
  | {
      readonly type: 'sibling';
      readonly from: string;
      readonly topic: string;
      readonly payload: string;
    };

export type ToPrimary =
  /** The worker can take plans. */
  | { readonly type: 'started' }
  | { readonly type: 'applied'; readonly generation: number }
  | { readonly type: 'refused'; readonly generation: number; readonly message: string }
  | { readonly type: 'status'; readonly status: WorkerStatus }
  /** For whoever takes this worker's place. */
  | { readonly type: 'key-set'; readonly keySet: FetchedKeySet }
  /** For another worker, or for all others (`null`). */
  | {
      readonly type: 'sibling';
      readonly to: string | null;
      readonly topic: string;
      readonly payload: string;
    };

/** What a worker reports of itself, at every change of its readiness and at least once a second. */
export interface WorkerStatus {
  /** The plan in force; 0 before the first. */
  readonly generation: number;
  readonly openRequests: number;
  readonly openConnections: number;
  readonly keySets: readonly KeySetStatus[];
}

/** One remote key set as one worker sees it. */
export interface KeySetStatus {
  readonly policy: string;
  readonly provider: string;
  /** Whether it was fetched at least once. */
  readonly fetched: boolean;
  /** Since the last successful fetch, or `null`. */
  readonly ageMs: Milliseconds | null;
  readonly keys: number;
  readonly failures: number;
  /** What went wrong with the latest fetch, or `null`. */
  readonly lastError: string | null;
}

/** True for a message of ours: node:cluster and prom-client use the same channel. */
export function isMessageOf<Message extends ToWorker | ToPrimary>(
  types: readonly Message['type'][],
  message: unknown,
): message is Message {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    types.some((type) => type === message.type)
  );
}
