import type { HeaderFields } from './request-head.ts';

/**
 * The client's side of one exchange: how an answer is written, exactly once. Implemented by
 * {@link NativeResponder}; the stages know only this.
 *
 * An answer is either sent whole with `send`, or begun with `begin`, continued with `write` and completed
 * with `end`. Once the client is gone (`aborted`) all of them do nothing.
 */
export interface Responder {
  /** The client is gone; nothing can be written any more. */
  readonly aborted: boolean;
  /** The status line has been decided: `send` or `begin` was called. */
  readonly started: boolean;
  /** The answer is complete, or will never be: the client is gone or the connection was cut. */
  readonly finished: boolean;
  /** Octets of body handed to the client so far. */
  readonly bodyBytes: number;

  /** Sends a whole answer with a Content-Length. A second answer is ignored. */
  send(status: number, headers: HeaderFields, body: string | Uint8Array): void;
  /** Sends a whole answer and closes the connection after it: the request can't be read further. */
  sendAndClose(status: number, headers: HeaderFields, body: string): void;
  /** Begins a streamed answer; its head goes out together with the first octets of the body. */
  begin(answer: AnswerHead): void;
  /**
   * Writes a piece of the body, and keeps nothing of its memory.
   *
   * @returns false when the client reads slower than this: wait for `onDrain` before writing more
   */
  write(piece: Uint8Array): boolean;
  /** Completes a begun answer. */
  end(): void;
  /** Closes the connection because the begun answer can't be completed. */
  cut(): void;
  /** Sets what to call once when the client goes away, or is cut off, before the answer is complete. */
  onAbort(callback: () => void): void;
  /** Sets what to call whenever the client has caught up after `write` returned false. */
  onDrain(callback: () => void): void;
}

export interface AnswerHead {
  readonly status: number;
  /** Without Content-Length, Transfer-Encoding, Connection and Date, which are the responder's. */
  readonly headers: HeaderFields;
  /** The Content-Length the upstream announced, or `null` for a chunked answer. */
  readonly contentLength: number | null;
  /** True for an answer that has no body whatever its fields say: to HEAD, and 204 and 304. */
  readonly bodiless: boolean;
  /**
   * What to send at once if the first octets of the body are not there in the same turn of the event
   * loop, so that the head does not wait for them; empty to let the head wait. The native server can't
   * send a head alone, and an event stream may carry a comment anywhere.
   */
  readonly opening: string;
}
