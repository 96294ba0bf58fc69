import type { ToPrimary, ToWorker } from './messages.ts';
import type { SiblingLimits } from './siblings.ts';

/** A running worker as the relay sees it. */
export interface RelayMember {
  readonly workerId: string;
  /** Calls `done` once the message is written, or lost. */
  send(message: Extract<ToWorker, { type: 'sibling' }>, done: () => void): void;
}

export interface SiblingRelay {
  /**
   * Hands a message on, marked with who sent it.
   *
   * @param members all workers that run
   */
  relay(
    from: RelayMember,
    members: Iterable<RelayMember>,
    message: Extract<ToPrimary, { type: 'sibling' }>,
  ): void;
}

/**
 * Makes the primary's part of the way from worker to worker. What is too long, or would wait behind too much for a
 * worker that does not read, is dropped.
 */
export function createSiblingRelay({
  maxPayloadLength,
  maxQueuedLength,
}: SiblingLimits): SiblingRelay {
  const queuedLengths = new WeakMap<RelayMember, number>();

  function add(member: RelayMember, length: number): number {
    const queued = (queuedLengths.get(member) ?? 0) + length;
    queuedLengths.set(member, queued);
    return queued;
  }

  return {
    relay(from, members, { to, topic, payload }) {
      const { length } = payload;
      if (length > maxPayloadLength) return;
      for (const member of members) {
        if (member === from || (to !== null && member.workerId !== to)) continue;
        if (add(member, length) > maxQueuedLength) {
          add(member, -length);
          continue;
        }
        const message = { type: 'sibling', from: from.workerId, topic, payload } as const;
        member.send(message, () => void add(member, -length));
      }
    },
  };
}
