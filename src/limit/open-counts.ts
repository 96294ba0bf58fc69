/** How many things each key has open now. A key that has none is not remembered. */
export interface OpenCounts {
  /**
   * Counts one more, unless the key has as many as it may.
   *
   * @returns whether it was counted; then {@link leave} must follow
   */
  enter(key: string): boolean;
  leave(key: string): void;
  /** Keys that have something open. */
  readonly size: number;
}

/**
 * Makes empty counts. There is never more than one entry for each open thing, so what bounds those bounds
 * the memory.
 *
 * @param maxPerKey 0: no limit, and then nothing is counted
 */
export function createOpenCounts(maxPerKey: number): OpenCounts {
  const counts = new Map<string, number>();
  return {
    enter(key) {
      if (maxPerKey === 0) return true;
      const count = counts.get(key) ?? 0;
      if (count >= maxPerKey) return false;
      counts.set(key, count + 1);
      return true;
    },
    leave(key) {
      const count = counts.get(key);
      if (count === undefined) return;
      if (count > 1) counts.set(key, count - 1);
      else counts.delete(key);
    },
    get size() {
      return counts.size;
    },
  };
}
