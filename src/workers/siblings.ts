import type { Bytes } from '../units.ts';
import type { ToPrimary, ToWorker } from './messages.ts';

/** Where a worker finds its own id; the primary makes a new one for each start of a worker. */
export const WORKER_ID_VARIABLE = 'POSTERN_WORKER_ID';

/**
 * The other workers of this process, reached through the primary. A message is lost where the addressee is
 * unknown or gone, has no ear for the topic, or does not keep up: who needs an answer waits for one, not for ever.
 */
export interface Siblings {
  /** Cannot be guessed, and is another after a restart. */
  readonly workerId: string;
  /**
   * @param to a worker's id, or `null` for all others; a message to oneself is lost
   * @param payload dropped where it is longer than {@link SiblingLimits.maxPayloadLength}
   */
  send(to: string | null, topic: string, payload: string): void;
  /**
   * Sets who takes the messages of a topic; one a topic. `from` is what the primary knows the sender as, so
   * that no worker can speak in another's name.
   */
  on(topic: string, take: (from: string, payload: string) => void): void;
}

export interface SiblingLimits {
  /** Longest payload, in UTF-16 units. */
  readonly maxPayloadLength: number;
  /** What may wait for one process to read it, in UTF-16 units of payload. */
  readonly maxQueuedLength: number;
}

/** The worker's end of its IPC channel. */
export interface SiblingChannel {
  /** Calls `done` once the message is written, or lost. */
  send(message: Extract<ToPrimary, { type: 'sibling' }>, done: () => void): void;
  onMessage(take: (message: Extract<ToWorker, { type: 'sibling' }>) => void): void;
}

const KIB: Bytes = 1024;
const ENVELOPE_LENGTH = 16 * KIB;
const MIN_QUEUED_LENGTH = 16 * 1024 * KIB;

/**
 * Limits under which one whole request fits into a message: its body in base64 (RFC 4648) and its head as JSON.
 */
export function siblingLimits(run: {
  readonly maxBodyBytes: Bytes;
  readonly maxHeaderBytes: Bytes;
}): SiblingLimits {
  const maxPayloadLength =
    Math.ceil(run.maxBodyBytes / 3) * 4 + 2 * run.maxHeaderBytes + ENVELOPE_LENGTH;
  return { maxPayloadLength, maxQueuedLength: Math.max(4 * maxPayloadLength, MIN_QUEUED_LENGTH) };
}

/** Makes a worker's way to the others. */
export function createSiblings(
  workerId: string,
  channel: SiblingChannel,
  { maxPayloadLength, maxQueuedLength }: SiblingLimits,
): Siblings {
  const takers = new Map<string, (from: string, payload: string) => void>();
  let queuedLength = 0;
  channel.onMessage(({ from, topic, payload }) => takers.get(topic)?.(from, payload));

  return {
    workerId,
    send(to, topic, payload) {
      const { length } = payload;
      if (to === workerId || length > maxPayloadLength) return;
      if (queuedLength + length > maxQueuedLength) return;
      queuedLength += length;
      channel.send({ type: 'sibling', to, topic, payload }, () => (queuedLength -= length));
    },
    on: (topic, take) => void takers.set(topic, take),
  };
}
