import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../../forward/upstream.ts';
import type { Bytes, Milliseconds } from '../../units.ts';
import type { StreamEnding } from '../../streams/stream-ending.ts';
import type { AnswerFilter, AnswerOutcome } from '../answer-filter.ts';
import type { McpMessage, McpRequest } from '../message.ts';
import { ClientStream } from './client-stream.ts';
import { endpointEvent, messageEvent } from './event-text.ts';
import type { AnswerObserver } from '../tool-list-observer.ts';
import { ErrorReader } from './error-reader.ts';
import { MessageReader } from './message-reader.ts';
import { MessageOrder } from './message-order.ts';
import { PostAnswer, type PostOutcome } from './post-answer.ts';
import type { MessageScan } from '../scan-message.ts';
import { UpstreamSession } from './upstream-session.ts';

/** Largest message of an upstream, in octets; as large as what is filtered elsewhere. */
const MAX_MESSAGE_BYTES: Bytes = 8 * 1024 * 1024;

/** Messages of one stream whose answers are not complete. */
export const MAX_IN_FLIGHT = 64;

export interface SseStreamOptions {
  /** The answer to the client's GET. */
  readonly answer: UpstreamAnswer;
  /** What may be held in memory for a client that reads slowly. */
  readonly maxHeldBytes: Bytes;
  /** Makes a filter for what the server says of its own accord; `null` where there is nothing to hide. */
  readonly createFilter: () => AnswerFilter | null;
  /** Called once, when the stream is over. */
  readonly onClosed: () => void;
}

/** A message on its way upstream. */
export interface PostedMessage {
  readonly message: McpMessage;
  readonly upstream: Upstream;
  readonly request: UpstreamRequest;
  /** For the answer to this message; `null` where there is nothing to hide. */
  readonly filter: AnswerFilter | null;
  /** Reads the answer along, for the metrics; `null` where nobody has to. */
  readonly observer: AnswerObserver | null;
  /** Bounds the time to the head of the answer; `null`: no limit. */
  readonly timeoutMs: Milliseconds | null;
  /** The upstream has opened a session. */
  readonly onSessionOpened: () => void;
  /** The right to the answer has ended; the end follows. */
  readonly onRevoked: (ending: StreamEnding) => void;
  /** Called once, when nothing more comes. */
  readonly onOver: (outcome: PostOutcome) => void;
}

/**
 * One stream of HTTP+SSE (MCP 2024-11-05): the client's GET, the Streamable HTTP session behind it, and the
 * messages in flight between them. All of it ends together.
 */
export class SseStream {
  readonly #client: ClientStream;
  readonly #session: UpstreamSession;
  readonly #onClosed: () => void;
  readonly #inFlight = new Set<PostAnswer>();
  readonly #order = new MessageOrder();
  #isOver = false;

  constructor({ answer, maxHeldBytes, createFilter, onClosed }: SseStreamOptions) {
    this.#onClosed = onClosed;
    this.#client = new ClientStream({ answer, maxHeldBytes, onFree: () => this.#resumeAll() });
    this.#session = new UpstreamSession({
      createReader: (onEventId) =>
        this.#createReader(createFilter(), (message) => this.send(message), onEventId),
      isBackedUp: () => this.#client.isBackedUp,
    });
  }

  get isOpen(): boolean {
    return !this.#isOver;
  }

  /** Whether no further message can be taken before another is answered. */
  get isBusy(): boolean {
    return this.#inFlight.size >= MAX_IN_FLIGHT;
  }

  /** The upstream's own session id, or `null`; for the log's hash alone. */
  get upstreamSessionId(): string | null {
    return this.#session.id;
  }

  /** Tells the client where to post. */
  begin(path: string, sessionId: string): void {
    this.#client.send(endpointEvent(path, sessionId));
  }

  /**
   * Sends a message upstream; what comes back goes to the client's stream.
   *
   * @returns the answer that is under way
   */
  post(posted: PostedMessage): PostAnswer {
    const { message, upstream, request, filter, observer, timeoutMs } = posted;
    const asked = message.kind === 'request' ? message : null;
    const isInitialized =
      message.kind === 'notification' && message.method === 'notifications/initialized';
    let answered: AnswerOutcome | null = null;
    const reader = this.#createReader(filter, (text, scan) => {
      if (asked !== null && isAnswerTo(asked, scan)) {
        answered = outcomeOf(scan);
        if (asked.method === 'initialize') this.#session.readInitializeResult(text);
      }
      this.send(text);
    });
    const answer: PostAnswer = new PostAnswer({
      request: asked,
      reader,
      observer,
      errorReader: new ErrorReader(filter),
      answered: () => answered,
      isBackedUp: () => this.#client.isBackedUp,
      onAccepted: (headers) => {
        if (asked?.method === 'initialize') {
          this.#session.open(headers);
          if (this.#session.id !== null) posted.onSessionOpened();
        }
        if (isInitialized) this.#session.listen(() => this.#order.release());
      },
      answer: (text) => this.send(text),
      onSessionLost: () => {
        if (this.#session.id !== null) this.end();
      },
      onRevoked: posted.onRevoked,
      onOver: (outcome) => {
        this.#inFlight.delete(answer);
        posted.onOver(outcome);
        if (isInitialized && !this.#session.isListening) this.#order.release();
      },
    });
    this.#inFlight.add(answer);
    this.#order.run(() => {
      if (isInitialized) this.#order.hold();
      const post = this.#session.postRequest(upstream, request, timeoutMs !== null);
      answer.start(upstream, post, timeoutMs);
    });
    return answer;
  }

  /** Settles when the server has taken `notifications/initialized`, or the stream is over; `null`: nothing waits. */
  whenReady(): Promise<void> | null {
    return this.#order.whenReleased();
  }

  /** Brings an answer of the gate's own to where the client looks for answers. */
  send(message: Uint8Array): void {
    this.#client.send(messageEvent(message));
  }

  /** The client has caught up. */
  resume(): void {
    this.#client.resume();
  }

  /** Ends the client's stream in good order, and all that belongs to it. */
  end(): void {
    this.#client.end();
    this.close();
  }

  /** The client's stream is over: aborts what is in flight and ends the upstream's session. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#client.stop();
    this.#order.stop();
    for (const answer of [...this.#inFlight]) answer.abort();
    this.#session.close();
    this.#onClosed();
  }

  #resumeAll(): void {
    for (const answer of this.#inFlight) answer.resume();
    this.#session.resume();
  }

  #createReader(
    filter: AnswerFilter | null,
    onMessage: (message: Buffer, scan: MessageScan) => void,
    onEventId?: (id: string) => void,
  ): MessageReader {
    return new MessageReader({
      filter,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      hold: (change) => this.#client.hold(change),
      onMessage,
      ...(onEventId === undefined ? {} : { onEventId }),
    });
  }
}

function isAnswerTo({ id }: McpRequest, scan: MessageScan): boolean {
  return scan.shape === 'batch' || (scan.method === null && scan.id === id);
}

function outcomeOf({ hasError, isToolError }: MessageScan): AnswerOutcome {
  if (hasError) return 'error';
  return isToolError ? 'tool_error' : 'ok';
}
