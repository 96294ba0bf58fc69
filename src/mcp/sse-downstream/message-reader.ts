import type { HeaderFields } from '../../accept/request-head.ts';
import type { Bytes } from '../../units.ts';
import type { AnswerFilter } from '../answer-filter.ts';
import { createEventSplitter, type EventSplitter } from '../event-stream.ts';
import { GrowingBytes } from '../growing-bytes.ts';
import { scanMessage, type MessageScan } from '../scan-message.ts';

export interface MessageReaderOptions {
  /** Takes out what the caller may not see; `null` where there is nothing to hide. */
  readonly filter: AnswerFilter | null;
  /** Bounds a JSON answer, and each event of a stream. */
  readonly maxMessageBytes: Bytes;
  /** Counts octets that are collected; negative when they are let go. */
  readonly hold: (change: Bytes) => void;
  /** Takes each message, in order. */
  readonly onMessage: (message: Buffer, scan: MessageScan) => void;
  /** Takes the id of each event that has one. */
  readonly onEventId?: (id: string) => void;
}

/**
 * Reads the messages in one answer of a Streamable HTTP server, which comes as JSON or as an event stream. What is
 * no message (comments, other events, what is not JSON) is left out.
 */
export class MessageReader {
  readonly #options: MessageReaderOptions;
  #body: GrowingBytes | null = null;
  #splitter: EventSplitter | null = null;
  #heldBytes: Bytes = 0;
  /** Why the answer can't be read further, for the log; nothing comes out after it. */
  fault: string | null = null;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
  }

  /**
   * @param status a successful one (2xx)
   * @returns whether the answer is an event stream
   */
  start(status: number, headers: HeaderFields): boolean {
    const { filter, maxMessageBytes } = this.#options;
    if (filter?.onHead(status, headers) === 'fault') {
      this.fault = filter.fault;
      return false;
    }
    const mediaType = mediaTypeOf(headers);
    if (mediaType === 'application/json') this.#body = new GrowingBytes();
    const isEventStream = mediaType === 'text/event-stream';
    if (isEventStream) this.#splitter = createEventSplitter({ maxEventBytes: maxMessageBytes });
    return isEventStream;
  }

  push(piece: Uint8Array): void {
    if (this.fault !== null) return;
    const { filter } = this.#options;
    const pieces = filter === null ? [piece] : filter.push(piece);
    const hadMessage = this.#take(pieces);
    this.#hold(hadMessage ? piece.length : this.#heldBytes + piece.length);
    this.#check();
  }

  end(): void {
    const { filter } = this.#options;
    if (this.fault === null && filter !== null) this.#take(filter.end());
    this.#check();
    if (this.fault === null && this.#body !== null) this.#message(this.#body.take());
    this.stop();
  }

  /** Lets go of what was collected. */
  stop(): void {
    this.#hold(0);
    this.#body = null;
    this.#splitter = null;
  }

  /** @returns whether a block of events was completed */
  #take(pieces: readonly Uint8Array[]): boolean {
    let hadBlock = false;
    for (const piece of pieces) {
      if (this.#body !== null && this.#fits(this.#body.length + piece.length)) {
        this.#body.append(piece);
      }
      for (const block of this.#splitter?.push(piece) ?? []) {
        hadBlock = true;
        const { dataBytes, id } = block;
        if (id !== null) this.#options.onEventId?.(id);
        if (dataBytes === null || dataBytes.length === 0 || block.type !== 'message') continue;
        this.#message(dataBytes);
      }
    }
    return hadBlock;
  }

  #message(data: Buffer): void {
    const scan = scanMessage(data);
    if (typeof scan !== 'string' && scan.shape !== 'other') this.#options.onMessage(data, scan);
  }

  #fits(length: Bytes): boolean {
    if (length <= this.#options.maxMessageBytes) return true;
    this.fault ??= 'the answer is too large';
    return false;
  }

  #check(): void {
    this.fault ??= this.#options.filter?.fault ?? this.#splitter?.fault ?? null;
    if (this.fault !== null) this.stop();
  }

  #hold(bytes: Bytes): void {
    const change = bytes - this.#heldBytes;
    this.#heldBytes = bytes;
    if (change !== 0) this.#options.hold(change);
  }
}

/** The media type in lower case, without parameters; empty where the content is encoded. */
function mediaTypeOf(headers: HeaderFields): string {
  let mediaType = '';
  for (let index = 0; index < headers.length; index += 2) {
    const value = (headers[index + 1] ?? '').trim().toLowerCase();
    if (headers[index] === 'content-type') mediaType = value.split(';', 1)[0]?.trim() ?? '';
    if (headers[index] === 'content-encoding' && value !== 'identity') return '';
  }
  return mediaType;
}
