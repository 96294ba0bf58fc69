import type { Bytes, Milliseconds } from '../units.ts';

/** Bounds of the connections to one target. */
export interface UpstreamLimits {
  /** Connections to one target, each carrying one request at a time; further requests are refused. */
  readonly maxConnections: number;
  /** Bounds name resolution, TCP and TLS handshake of a connection together. */
  readonly connectTimeoutMs: Milliseconds;
  /** From sending the request to the end of the answer's head; 0: no limit. */
  readonly headersTimeoutMs: Milliseconds;
  /** How long an unused connection is kept. */
  readonly idleTimeoutMs: Milliseconds;
  /** Octets of an answer's head. */
  readonly maxHeaderBytes: Bytes;
}
