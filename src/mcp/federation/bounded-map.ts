/** A map that forgets what was not used for the longest time once it is full. */
export class BoundedMap<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #maxEntries: number;
  readonly #onForgotten: (value: Value) => void;

  /** @param onForgotten told of what fell out, not of what was deleted or replaced */
  constructor(maxEntries: number, onForgotten: (value: Value) => void = () => undefined) {
    this.#maxEntries = maxEntries;
    this.#onForgotten = onForgotten;
  }

  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#maxEntries) return;
    for (const [oldest, forgotten] of this.#entries) {
      this.#entries.delete(oldest);
      this.#onForgotten(forgotten);
      return;
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
