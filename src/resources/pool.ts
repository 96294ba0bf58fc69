/** Numbers objects in the order in which they are first asked for. */
export interface Pool<T> {
  /** The index of an object, by identity; a new one is taken in. */
  indexOf(item: T): number;
  /** All objects, each at its index. */
  items(): readonly T[];
}

/** Makes an empty {@link Pool}. */
export function createPool<T>(): Pool<T> {
  const indexes = new Map<T, number>();
  return {
    indexOf(item) {
      const known = indexes.get(item);
      if (known !== undefined) return known;
      indexes.set(item, indexes.size);
      return indexes.size - 1;
    },
    items: () => [...indexes.keys()],
  };
}
