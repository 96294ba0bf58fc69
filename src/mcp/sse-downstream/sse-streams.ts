import { Refusal } from '../../errors.ts';
import type { SealOwner } from '../seal-binding.ts';
import type { SseStream } from './sse-stream.ts';

export interface SseStreamLimits {
  /** Streams open at this worker. */
  readonly maxStreams: number;
  /** Of these, of one owner. Anonymous callers are not one caller, so this does not hold for them. */
  readonly maxStreamsPerOwner: number;
}

/** The open streams of this worker. */
export interface SseStreams {
  /** @returns STREAMS_EXHAUSTED, STREAMS_OF_CALLER_EXHAUSTED, or `null` where there is room for another */
  admit(owner: SealOwner): Refusal | null;
  /** To be called right after `admit`. */
  add(streamId: string, owner: SealOwner, stream: SseStream): void;
  remove(streamId: string, owner: SealOwner): void;
  find(streamId: string): SseStream | null;
}

export function createSseStreams({ maxStreams, maxStreamsPerOwner }: SseStreamLimits): SseStreams {
  const streams = new Map<string, SseStream>();
  const counts = new Map<string, number>();

  return {
    admit(owner) {
      if (streams.size >= maxStreams) return new Refusal('STREAMS_EXHAUSTED');
      if (owner.kind === 'anonymous') return null;
      const count = counts.get(JSON.stringify(owner)) ?? 0;
      return count >= maxStreamsPerOwner ? new Refusal('STREAMS_OF_CALLER_EXHAUSTED') : null;
    },
    add(streamId, owner, stream) {
      streams.set(streamId, stream);
      const key = JSON.stringify(owner);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    remove(streamId, owner) {
      if (!streams.delete(streamId)) return;
      const key = JSON.stringify(owner);
      const count = (counts.get(key) ?? 0) - 1;
      if (count > 0) counts.set(key, count);
      else counts.delete(key);
    },
    find: (streamId) => streams.get(streamId) ?? null,
  };
}
