import type { Milliseconds } from '../../units.ts';

/** Longest time that messages wait for one before them. */
const LONGEST_HOLD_MS: Milliseconds = 2_000;

/**
 * Keeps what a client posts in order where it matters. A client of HTTP+SSE takes 202 for the sign that the server has
 * `notifications/initialized`, and that the server can already speak to it: so what it posts next waits until
 * the upstream has taken that notification and its own stream is open.
 */
export class MessageOrder {
  #waiting: (() => void)[] = [];
  #onReleased: (() => void)[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** Runs `start` now, or after the release. */
  run(start: () => void): void {
    if (this.#timer === null) start();
    else this.#waiting.push(start);
  }

  /** Settles with the release, or the end; `null` where nothing is held. */
  whenReleased(): Promise<void> | null {
    if (this.#timer === null) return null;
    return new Promise((resolve) => this.#onReleased.push(resolve));
  }

  /** From now on messages wait, though not for ever. */
  hold(): void {
    if (this.#timer === null) this.#timer = setTimeout(() => this.release(), LONGEST_HOLD_MS);
  }

  /** Lets go of what waits, in order. One of these may hold the rest again. */
  release(): void {
    this.#stopTimer();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const start of waiting) this.run(start);
    this.#tellReleased();
  }

  /** Nothing of what waits is run any more. */
  stop(): void {
    this.#stopTimer();
    this.#waiting = [];
    this.#tellReleased();
  }

  #tellReleased(): void {
    const told = this.#onReleased;
    this.#onReleased = [];
    for (const tell of told) tell();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
