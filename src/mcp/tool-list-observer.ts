import type { HeaderFields } from '../accept/request-head.ts';
import type { Bytes } from '../units.ts';
import { createEventSplitter, type EventSplitter } from './event-stream.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { mediaTypeOf } from './media-type.ts';
import { scanMessage, type MessageScan } from './scan-message.ts';

/** Reads an answer along as it passes, and changes nothing about it. */
export interface AnswerObserver {
  /** Takes the head of the upstream's answer. */
  onHead(status: number, headers: HeaderFields): void;
  /** Takes the next octets of the body, which may be used again after the call. */
  push(piece: Uint8Array): void;
  end(): void;
}

/** Tells `learn` of the names in each list of tools that a message holds; once for each list. */
export function learnTools(
  { lists }: MessageScan,
  learn: (names: readonly string[]) => void,
): void {
  for (const { kind, names } of lists) {
    if (kind === 'tools') learn(names.filter((name) => name !== null));
  }
}

/** A list of tools that is longer is not read. */
const maxBytes: Bytes = 1024 * 1024;

/**
 * Makes an observer for one answer to `tools/list`.
 *
 * @param learn told of the names in a list that could be read; what can't be is passed over in silence
 */
export function createToolListObserver(learn: (names: readonly string[]) => void): AnswerObserver {
  let body: GrowingBytes | null = null;
  let splitter: EventSplitter | null = null;

  function read(message: Uint8Array | null): void {
    if (message === null || message.length === 0) return;
    const scan = scanMessage(message);
    if (typeof scan !== 'string') learnTools(scan, learn);
  }

  return {
    onHead(status, headers) {
      if (status !== 200) return;
      const mediaType = mediaTypeOf(headers);
      if (mediaType === 'application/json') body = new GrowingBytes();
      if (mediaType === 'text/event-stream') {
        splitter = createEventSplitter({ maxEventBytes: maxBytes });
      }
    },
    push(piece) {
      if (splitter !== null) {
        for (const { dataBytes } of splitter.push(piece)) read(dataBytes);
      } else if (body !== null) {
        if (body.length + piece.length > maxBytes) body = null;
        else body.append(piece);
      }
    },
    end() {
      read(body?.take() ?? null);
    },
  };
}
