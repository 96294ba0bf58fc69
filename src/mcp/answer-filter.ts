import type { HeaderFields } from '../accept/request-head.ts';
import type { Bytes } from '../units.ts';
import type { EventBlock } from './event-block.ts';
import { createEventSplitter, type EventSplitter } from './event-stream.ts';
import { filterMessage, type MessageContext, type MessageFilterFault } from './filter-message.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { listKindOf, type IsVisible } from './list-kind.ts';
import type { McpEra, RequestId } from './message.ts';
import type { MessageScan } from './scan-message.ts';

/** Why an answer can't be handed on, for the log. */
export type AnswerFault =
  | MessageFilterFault
  | 'the answer is too large'
  | 'an event is too large'
  | 'the content type occurs twice'
  | 'the content type is neither JSON nor an event stream'
  | 'the content is encoded';

export type AnswerOutcome = 'ok' | 'error' | 'tool_error';

/**
 * What becomes of an answer's body:
 * `json`: held back; all of it comes out of `end`, with a length of its own;
 * `events`: comes out event by event, with a length of its own;
 * `pass`: there is nothing to hide in it: hand it on as it comes, without this filter;
 * `fault`: must not be handed on.
 */
export type AnswerMode = 'json' | 'events' | 'pass' | 'fault';

export interface AnswerFilterOptions {
  /** The request that is answered; `null` for a stream that answers none (GET), and for a notification. */
  readonly request: {
    readonly id: RequestId;
    readonly method: string;
    readonly era: McpEra;
  } | null;
  readonly isVisible: IsVisible;
  /** Bounds a JSON answer, and each event of a stream. */
  readonly maxBytes: Bytes;
}

/**
 * Filters one answer. Once there is a `fault` nothing more comes out: before the client was sent anything
 * the gate answers itself (502), after that it cuts the connection.
 */
export interface AnswerFilter {
  readonly fault: AnswerFault | null;
  /** What the answer to the request said, once it was read; `tool_error`: a result with `isError`. */
  readonly outcome: AnswerOutcome | null;
  /**
   * Takes the head of the upstream's answer.
   *
   * @param headers with names in lower case, as they came
   */
  onHead(status: number, headers: HeaderFields): AnswerMode;
  /**
   * Takes the next octets of the body.
   *
   * @returns what can be handed on, in order; it may share memory with `piece`
   */
  push(piece: Uint8Array): readonly Uint8Array[];
  /** Takes the end of the body, and returns the rest that can be handed on. */
  end(): readonly Uint8Array[];
}

const NOTHING: readonly Uint8Array[] = Object.freeze([]);

/**
 * Makes the filter for one answer of an MCP server (Streamable HTTP, and the stream of HTTP+SSE), which takes
 * out what the caller may not see; {@link filterMessage} says what that is. Closed where it can't read: an
 * answer in JSON or events that is encoded, a list in another media type, text that is not JSON, a batch.
 *
 * Of an event stream everything but the events that change passes octet by octet: comments, ids, times,
 * empty events, types. An event that is dropped leaves its id and time behind. An event with data that
 * is cut short by the end of the stream is not handed on: readers discard it, and it was not read here.
 */
export function createAnswerFilter(options: AnswerFilterOptions): AnswerFilter {
  return new Filter(options);
}

class Filter implements AnswerFilter {
  readonly #context: MessageContext;
  readonly #maxBytes: Bytes;
  fault: AnswerFault | null = null;
  outcome: AnswerOutcome | null = null;
  #mode: AnswerMode = 'fault';
  #mayBeEmpty = false;
  #body: GrowingBytes | null = null;
  #splitter: EventSplitter | null = null;

  constructor({ request, isVisible, maxBytes }: AnswerFilterOptions) {
    const kind = request === null ? null : listKindOf(request.method);
    this.#context = {
      expected: request === null || kind === null ? null : { id: request.id, kind },
      era: request?.era ?? 'legacy',
      isVisible,
      ...(request === null ? {} : { onMessage: (scan) => this.#note(scan, request.id) }),
    };
    this.#maxBytes = maxBytes;
  }

  onHead(status: number, headers: HeaderFields): AnswerMode {
    this.#mode = this.#chooseMode(status, headers);
    this.#mayBeEmpty = status !== 200;
    if (this.#mode === 'json') this.#body = new GrowingBytes();
    if (this.#mode === 'events') {
      this.#splitter = createEventSplitter({ maxEventBytes: this.#maxBytes });
    }
    return this.#mode;
  }

  push(piece: Uint8Array): readonly Uint8Array[] {
    if (this.fault !== null) return NOTHING;
    if (this.#mode === 'pass') return [piece];
    if (this.#body !== null) {
      if (this.#body.length + piece.length > this.#maxBytes) {
        return this.#fail('the answer is too large');
      }
      this.#body.append(piece);
      return NOTHING;
    }
    const splitter = this.#splitter;
    if (splitter === null) return NOTHING;
    const out = this.#filterBlocks(splitter.push(piece));
    if (splitter.fault !== null) this.#fail(splitter.fault);
    return out;
  }

  end(): readonly Uint8Array[] {
    if (this.fault !== null) return NOTHING;
    if (this.#body !== null) return this.#filterBody(this.#body.take());
    const rest = this.#splitter?.end() ?? null;
    return rest !== null && (rest.isComplete || rest.dataBytes === null)
      ? this.#filterBlocks([rest])
      : NOTHING;
  }

  #note({ id, hasResult, hasError, isToolError }: MessageScan, requestId: RequestId): void {
    if (id !== requestId || (!hasResult && !hasError)) return;
    this.outcome = hasError ? 'error' : isToolError ? 'tool_error' : 'ok';
  }

  #chooseMode(status: number, headers: HeaderFields): AnswerMode {
    // An error or a redirection carries no result. 204 and 205 have no body.
    if (status < 200 || status > 299 || status === 204 || status === 205) return 'pass';
    let contentType: string | null = null;
    let isEncoded = false;
    for (let index = 0; index < headers.length; index += 2) {
      const value = headers[index + 1] ?? '';
      if (headers[index] === 'content-type') {
        if (contentType !== null) return this.#refuse('the content type occurs twice');
        contentType = value;
      } else if (headers[index] === 'content-encoding') {
        isEncoded ||= value.trim().toLowerCase() !== 'identity';
      }
    }
    const mode = modeOf(contentType);
    // 202 answers a notification, and a request whose answer comes on the stream of HTTP+SSE.
    if (mode === null && (this.#context.expected === null || status === 202)) return 'pass';
    if (mode === null) {
      return this.#refuse('the content type is neither JSON nor an event stream');
    }
    return isEncoded ? this.#refuse('the content is encoded') : mode;
  }

  #filterBody(body: Buffer): readonly Uint8Array[] {
    if (body.length === 0 && this.#mayBeEmpty) return NOTHING;
    const verdict = filterMessage(body, this.#context);
    switch (verdict.action) {
      case 'pass':
        return [body];
      case 'replace':
        return [verdict.message];
      case 'drop':
        return NOTHING;
      case 'fault':
        return this.#fail(verdict.fault);
    }
  }

  #filterBlocks(blocks: readonly EventBlock[]): readonly Uint8Array[] {
    const out: Buffer[] = [];
    for (const block of blocks) {
      const filtered = this.#filterBlock(block);
      if (this.fault !== null) break;
      if (filtered !== null) appendJoined(out, filtered);
    }
    return out;
  }

  #filterBlock(block: EventBlock): Buffer | null {
    const { dataBytes } = block;
    if (dataBytes === null || dataBytes.length === 0) return block.raw;
    const verdict = filterMessage(dataBytes, this.#context);
    switch (verdict.action) {
      case 'pass':
        return block.raw;
      case 'replace':
        return block.withData(verdict.message);
      case 'drop':
        return block.withoutEvent();
      case 'fault':
        // An event of another type, such as `endpoint`, need not be a message.
        if (verdict.fault === 'not JSON' && block.type !== 'message') return block.raw;
        this.#fail(verdict.fault);
        return null;
    }
  }

  #refuse(fault: AnswerFault): 'fault' {
    this.fault = fault;
    return 'fault';
  }

  #fail(fault: AnswerFault): readonly Uint8Array[] {
    this.fault = fault;
    this.#body = null;
    this.#splitter = null;
    return NOTHING;
  }
}

/** Compares media types as RFC 9110, 8.3.1 says: without regard to case and parameters. */
function modeOf(contentType: string | null): 'json' | 'events' | null {
  if (contentType === null) return null;
  const end = contentType.indexOf(';');
  const mediaType = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
  if (mediaType === 'application/json') return 'json';
  return mediaType === 'text/event-stream' ? 'events' : null;
}

/** Appends octets; those that follow the last ones in memory make one piece with them. */
function appendJoined(out: Buffer[], bytes: Buffer): void {
  const last = out.at(-1);
  if (last?.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
    out[out.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + bytes.length);
  } else {
    out.push(bytes);
  }
}
