import type { StreamEnding } from './stream-ending.ts';

/** An answer that has begun and goes on: what may be done with it from outside. */
export interface RunningAnswer {
  /** Whether it has begun, and is not over. */
  readonly isRunning: boolean;
  /**
   * Ends the answer because the right to it has ended, and the request upstream at once. An event stream ends as
   * a complete one does; of another body the client must not take a part for the whole: it is cut.
   */
  revoke(ending: StreamEnding): void;
  /**
   * Writes a comment into a silent event stream (WHATWG HTML, 9.2.7). Does nothing within an event, where the
   * client does not read, and for other answers.
   */
  keepAlive(): void;
}
