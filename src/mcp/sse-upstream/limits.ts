import type { Bytes, Milliseconds } from '../../units.ts';

/** Bounds of all connections to one SSE-only server from one worker. */
export interface SseLimits {
  /** Connections at one time; idle ones make room, else requests are refused. */
  readonly maxConnections: number;
  /** The same for one owner. Callers whom no policy asked for a token are bounded together alone. */
  readonly maxConnectionsPerOwner: number;
  /** From the request for the stream to its `endpoint` event. */
  readonly openTimeoutMs: Milliseconds;
  /** For an answer to what the gate itself sends: `initialize` when a session is opened again. */
  readonly replayTimeoutMs: Milliseconds;
  /** For a server to take an answer to one of its requests. */
  readonly responseTimeoutMs: Milliseconds;
  /** How long a connection is kept that nobody uses. */
  readonly idleTimeoutMs: Milliseconds;
  /** One message of the server. */
  readonly maxEventBytes: Bytes;
  /** What waits for one client that reads slowly. */
  readonly maxQueuedBytes: Bytes;
  /** What waits for a client that has no stream open. The oldest goes first. */
  readonly maxBacklogMessages: number;
  readonly maxBacklogBytes: Bytes;
  /** Requests of one session at one time. */
  readonly maxRunningRequests: number;
  /** Ids of cancelled requests that are kept from being used again, for one connection. */
  readonly maxCancelledIds: number;
}

export const sseLimits: SseLimits = Object.freeze({
  maxConnections: 4096,
  maxConnectionsPerOwner: 128,
  openTimeoutMs: 10_000,
  replayTimeoutMs: 30_000,
  responseTimeoutMs: 30_000,
  idleTimeoutMs: 300_000,
  maxEventBytes: 8 * 1_048_576,
  maxQueuedBytes: 4 * 1_048_576,
  maxBacklogMessages: 64,
  maxBacklogBytes: 262_144,
  maxRunningRequests: 1000,
  maxCancelledIds: 100,
});
