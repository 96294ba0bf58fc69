import type { HeaderFields } from '../accept/request-head.ts';
import type { Bytes } from '../units.ts';
import type { AnswerIds } from './answer-ids.ts';
import { EventBlock } from './event-block.ts';
import { createEventSplitter, type EventSplitter } from './event-stream.ts';
import { filterCompletion, type IsCompletionVisible } from './filter-completion.ts';
import { filterMessage, type MessageContext, type MessageFilterFault } from './filter-message.ts';
import { asBuffer, GrowingBytes } from './growing-bytes.ts';
import type { NamePlace } from './hidden-name.ts';
import { listKindOf, type IsVisible } from './list-kind.ts';
import type { McpEra, RequestId } from './message.ts';
import type { MessageScan } from './scan-message.ts';
import { sealTaskIds } from './seal-task-ids.ts';
import { learnTools } from './tool-list-observer.ts';

/** Why an answer can't be handed on, for the log. */
export type AnswerFault =
  | MessageFilterFault
  | 'a task id is too long'
  | 'the answer is too large'
  | 'an event is too large'
  | 'the content type occurs twice'
  | 'the content type is neither JSON nor an event stream'
  | 'the content is encoded'
  | 'a hidden name can not be put back';

export type AnswerOutcome = 'ok' | 'error' | 'tool_error';

/**
 * What becomes of an answer's body:
 * `json`: held back; all of it comes out of `end`, with a length of its own;
 * `events`: comes out event by event, with a length of its own;
 * `pass`: there is nothing to hide in it: hand it on as it comes, without this filter;
 * `fault`: must not be handed on.
 */
export type AnswerMode = 'json' | 'events' | 'pass' | 'fault';

/** Which answers are held back until they are whole; see {@link AnswerFilterOptions.holds}. */
export type AnswerHold = 'none' | 'results' | 'all';

export interface AnswerFilterOptions {
  /** The request that is answered; `null` for a stream that answers none (GET), and for a notification. */
  readonly request: {
    readonly id: RequestId;
    readonly method: string;
    readonly era: McpEra;
  } | null;
  /** `null` where no policy decides on what the caller may see. */
  readonly isVisible: IsVisible | null;
  /** For the answer to `completion/complete`; without it its values stay. */
  readonly isCompletionVisible?: IsCompletionVisible | null;
  /** Told of the names in each list of tools, hidden ones too; only where there is an `isVisible`. */
  readonly onTools?: ((names: readonly string[]) => void) | null;
  /** What becomes of the upstream's ids, and of hidden names; `null`: they stay. */
  readonly ids: AnswerIds | null;
  /**
   * Which answers are held back until they are whole, besides the events of streams, each by itself:
   * `results`: those in JSON that are no HTTP error;
   * `all`: HTTP errors and other media types too, for a request that went up under a hidden name, and for every
   *   other that could have: they are framed, bounded and refused alike;
   * `none`: none of them; only where `isVisible` is `null`.
   */
  readonly holds: AnswerHold;
  /** Bounds an answer that is held back, and each event of a stream. */
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
   * Takes the head of the upstream's answer, and puts hidden names back in it.
   *
   * @param headers with names in lower case, as they came
   */
  onHead(status: number, headers: HeaderFields): AnswerMode;
  /**
   * Takes the next octets of the body.
   *
   * @param isLast `end` follows before the memory of the piece is used again
   * @returns what can be handed on, in order; it may share memory with `piece`
   */
  push(piece: Uint8Array, isLast?: boolean): readonly Uint8Array[];
  /** Takes the end of the body, and returns the rest that can be handed on. */
  end(): readonly Uint8Array[];
}

const NOT_RESTORED: AnswerFault = 'a hidden name can not be put back';
const NOTHING: readonly Uint8Array[] = Object.freeze([]);

/**
 * Makes the filter for one answer of an MCP server (Streamable HTTP, and the stream of HTTP+SSE). In this order
 * it puts the client's own names back in place of hidden ones, takes out what the caller may not see
 * ({@link filterMessage} says what that is), and seals the ids of tasks and events.
 *
 * Closed where there are policies and it can't read: an answer in JSON or events that is encoded, a list in
 * another media type, text that is not JSON, a batch. Without policies such answers pass.
 *
 * Of an event stream everything but what changes passes octet by octet: comments, times, empty events, types.
 * An event that is dropped leaves its id and time behind. An event with data that is cut short by the end of
 * the stream is not handed on: readers discard it, and it was not read here.
 */
export function createAnswerFilter(options: AnswerFilterOptions): AnswerFilter {
  return new Filter(options);
}

class Filter implements AnswerFilter {
  readonly #context: MessageContext | null;
  readonly #expectsList: boolean;
  readonly #isCompletionVisible: IsCompletionVisible | null;
  readonly #onTools: ((names: readonly string[]) => void) | null;
  readonly #ids: AnswerIds | null;
  readonly #holds: AnswerHold;
  readonly #maxBytes: Bytes;
  fault: AnswerFault | null = null;
  outcome: AnswerOutcome | null = null;
  #mode: AnswerMode = 'fault';
  #mayBeEmpty = false;
  #isJson = false;
  /** Whether the body that is held back is filtered, and not held for its names alone. */
  #isMessage = false;
  #body: GrowingBytes | null = null;
  /** The body that is held back, where it came in one piece. */
  #whole: Buffer | null = null;
  #splitter: EventSplitter | null = null;

  constructor({
    request,
    isVisible,
    isCompletionVisible = null,
    onTools = null,
    ids,
    holds,
    maxBytes,
  }: AnswerFilterOptions) {
    const kind = request === null ? null : listKindOf(request.method);
    const expected = request === null || kind === null ? null : { id: request.id, kind };
    this.#context =
      isVisible === null
        ? null
        : {
            expected,
            era: request?.era ?? 'legacy',
            isVisible,
            onMessage: request === null ? null : (scan) => this.#note(scan, request.id),
          };
    this.#expectsList = expected !== null;
    this.#isCompletionVisible = isCompletionVisible;
    this.#onTools = onTools;
    this.#ids = ids;
    this.#holds = holds;
    this.#maxBytes = maxBytes;
  }

  onHead(status: number, headers: HeaderFields): AnswerMode {
    this.#ids?.onHead(headers);
    this.#mode = this.#chooseMode(status, headers);
    if (this.#ids?.restoreFields(headers) === false) {
      this.#mode = this.#refuse(NOT_RESTORED);
    }
    this.#mayBeEmpty = status !== 200 || this.#context === null;
    if (this.#mode === 'json') this.#body = new GrowingBytes();
    if (this.#mode === 'events') {
      this.#splitter = createEventSplitter({ maxEventBytes: this.#maxBytes });
    }
    return this.#mode;
  }

  push(piece: Uint8Array, isLast = false): readonly Uint8Array[] {
    if (this.fault !== null) return NOTHING;
    if (this.#mode === 'pass') return [piece];
    if (this.#body !== null) {
      if (this.#body.length + piece.length > this.#maxBytes) {
        return this.#fail('the answer is too large');
      }
      // Most answers come in one piece, and go before the next one comes: there is nothing to copy.
      if (isLast && this.#body.length === 0) this.#whole = asBuffer(piece);
      else this.#body.append(piece);
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
    if (this.#body !== null) return this.#filterBody(this.#whole ?? this.#body.take());
    const rest = this.#splitter?.end() ?? null;
    return rest !== null && (rest.isComplete || rest.dataBytes === null)
      ? this.#filterBlocks([rest])
      : NOTHING;
  }

  #note(scan: MessageScan, requestId: RequestId): void {
    if (this.#onTools !== null) learnTools(scan, this.#onTools);
    const { id, hasResult, hasError, isToolError } = scan;
    if (id !== requestId || (!hasResult && !hasError)) return;
    this.outcome = hasError ? 'error' : isToolError ? 'tool_error' : 'ok';
  }

  #chooseMode(status: number, headers: HeaderFields): AnswerMode {
    if (status === 204 || status === 205) return 'pass';
    const holdsAll = this.#holds === 'all';
    // An error or a redirection carries no result, but may repeat a hidden name.
    const isError = status < 200 || status > 299;
    if (isError && !holdsAll) return 'pass';
    let contentType: string | null = null;
    let isEncoded = false;
    for (let index = 0; index < headers.length; index += 2) {
      const value = headers[index + 1] ?? '';
      if (headers[index] === 'content-type') {
        if (contentType !== null && !isError) return this.#refuse('the content type occurs twice');
        contentType = value;
      } else if (headers[index] === 'content-encoding') {
        isEncoded ||= value.trim().toLowerCase() !== 'identity';
      }
    }
    const mode = modeOf(contentType);
    this.#isJson = mode === 'json';
    if (isError) {
      this.#isMessage = false;
      // A hidden name could not be put back in it.
      return isEncoded ? this.#refuse('the content is encoded') : 'json';
    }
    this.#isMessage = this.#isJson;
    if (mode === null && !holdsAll) {
      // 202 answers a notification, and a request whose answer comes on the stream of HTTP+SSE.
      if (this.#context === null || !this.#expectsList || status === 202) return 'pass';
      return this.#refuse('the content type is neither JSON nor an event stream');
    }
    if (isEncoded) return this.#refuse('the content is encoded');
    return mode === 'json' && this.#holds === 'none' ? 'pass' : (mode ?? 'json');
  }

  #filterBody(body: Buffer): readonly Uint8Array[] {
    if (body.length === 0 && this.#mayBeEmpty) return NOTHING;
    const named = this.#restoreNames(body, this.#isJson ? 'json' : 'text');
    if (named === null) return NOTHING;
    if (!this.#isMessage) return [named];
    const message = this.#filterMessage(named, true);
    return message === null ? NOTHING : [message];
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

  #filterBlock(original: EventBlock): Buffer | null {
    const ids = this.#ids;
    const raw = this.#restoreNames(original.raw, 'json');
    if (raw === null) return null;
    const block = withRaw(original, raw);
    const { dataBytes } = block;
    let changed: Buffer | null = block.raw;
    if (dataBytes !== null && dataBytes.length > 0) {
      // An event of another type, such as `endpoint`, need not be a message.
      const message = this.#filterMessage(dataBytes, block.type === 'message');
      if (this.fault !== null) return null;
      if (message === null) changed = block.withoutEvent();
      else if (message !== dataBytes) changed = block.withData(message);
    }
    if (changed === null || ids?.sealsEvents !== true) return changed;
    return withRaw(block, changed).withIds((id) => ids.sealEvent(id));
  }

  /** @returns `null` after a fault */
  #restoreNames(octets: Buffer, place: NamePlace): Buffer | null {
    const restored = this.#ids === null ? octets : this.#ids.restoreNames(octets, place);
    if (restored === null) this.#fail(NOT_RESTORED);
    return restored;
  }

  /** @returns the same memory if nothing changes; `null` to drop the message, and after a fault */
  #filterMessage(message: Buffer, mustBeJson: boolean): Buffer | null {
    let filtered = message;
    if (this.#context !== null) {
      const verdict = filterMessage(message, this.#context);
      switch (verdict.action) {
        case 'pass':
          break;
        case 'replace':
          filtered = verdict.message;
          break;
        case 'drop':
          return null;
        case 'fault':
          if (verdict.fault === 'not JSON' && !mustBeJson) return message;
          this.#fail(verdict.fault);
          return null;
      }
      if (this.#isCompletionVisible !== null) {
        const completion = filterCompletion(filtered, this.#isCompletionVisible);
        if (completion === null) {
          this.#fail('a member occurs twice');
          return null;
        }
        filtered = completion;
      }
    }
    const ids = this.#ids;
    if (ids?.sealsIds !== true) return filtered;
    const sealed = sealTaskIds(filtered, (id) => ids.sealTask(id));
    if (typeof sealed !== 'string') return sealed ?? filtered;
    this.#fail(sealed);
    return null;
  }

  #refuse(fault: AnswerFault): AnswerMode {
    if (this.#context === null) return 'pass';
    this.fault = fault;
    return 'fault';
  }

  #fail(fault: AnswerFault): readonly Uint8Array[] {
    this.fault = fault;
    this.#body = null;
    this.#whole = null;
    this.#splitter = null;
    return NOTHING;
  }
}

function withRaw(block: EventBlock, raw: Buffer): EventBlock {
  return raw === block.raw ? block : new EventBlock(raw, block.isFirst, block.isComplete);
}

/** Compares media types as RFC 9110, 8.3.1 says: without regard to case and parameters. */
function modeOf(contentType: string | null): 'json' | 'events' | null {
  if (contentType === null) return null;
  // As almost all servers write it.
  if (contentType === 'application/json') return 'json';
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
