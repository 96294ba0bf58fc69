import type { Bytes, Milliseconds } from '../units.ts';

/** Interim answers (RFC 9110, 15.2) before the final one; an answer with more is not valid. */
export const MAX_INTERIM_ANSWERS = 32;

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
  /**
   * How long a connection to a target with a name takes new requests, so that a name that has moved is followed also
   * under traffic that never pauses; 0: no limit. An address does not move.
   */
  readonly maxAgeMs: Milliseconds;
  /** Octets of an answer's head. */
  readonly maxHeaderBytes: Bytes;
}
