import type { Milliseconds } from '../../units.ts';
import { createCoarseTimer } from './coarse-timer.ts';
import { LinkedList, type Linked } from './linked-list.ts';

/** What can be waited for. */
export interface Awaited<Item> extends Linked<Item> {
  /** From the monotonic clock. */
  dueAtMs: Milliseconds;
}

/** Waits that all have the same length: they end in the order in which they began. */
export interface Deadlines<Item> {
  add(item: Item): void;
  /** Does nothing with what is not waited for. */
  remove(item: Item): void;
}

/**
 * @param spanMs the length of each wait; 0: without end
 * @param onLate called once for each that was not removed in time, up to an eighth later
 */
export function createDeadlines<Item extends Awaited<Item>>(
  spanMs: Milliseconds,
  monotonicNow: () => Milliseconds,
  onLate: (item: Item) => void,
): Deadlines<Item> {
  const list = new LinkedList<Item>();
  const timer = createCoarseTimer(spanMs, () => {
    const now = monotonicNow();
    while (list.first !== null && list.first.dueAtMs <= now) {
      const late = list.first;
      list.remove(late);
      onLate(late);
    }
    return list.first !== null;
  });
  return {
    add(item) {
      if (spanMs === 0) return;
      item.dueAtMs = monotonicNow() + spanMs;
      list.add(item);
      timer.start();
    },
    remove: (item) => list.remove(item),
  };
}
