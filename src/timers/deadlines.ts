import type { Milliseconds } from '../units.ts';
import { coarseIntervalMs, createCoarseTimer } from './coarse-timer.ts';
import { LinkedList, type Linked } from '../linked-list.ts';

/** What can be waited for. */
export interface Awaited<Item> extends Linked<Item> {
  /** At which ring of the timer the wait is over. */
  dueAtRing: number;
}

/** Waits that all have the same length: they end in the order in which they began. */
export interface Deadlines<Item> {
  add(item: Item): void;
  /** Does nothing with what is not waited for. */
  remove(item: Item): void;
}

/**
 * Time is counted in rings of the timer, because to read a clock costs more than all else that is done here.
 *
 * @param spanMs the length of each wait; 0: without end
 * @param onLate called once for each that was not removed in time, up to a quarter later
 */
export function createDeadlines<Item extends Awaited<Item>>(
  spanMs: Milliseconds,
  onLate: (item: Item) => void,
): Deadlines<Item> {
  const list = new LinkedList<Item>();
  // One more, since the first ring may come at once.
  const ringsToWait = Math.ceil(spanMs / coarseIntervalMs(spanMs)) + 1;
  let rings = 0;
  const timer = createCoarseTimer(spanMs, () => {
    rings += 1;
    while (list.first !== null && list.first.dueAtRing <= rings) {
      const late = list.first;
      list.remove(late);
      onLate(late);
    }
    return list.first !== null;
  });
  return {
    add(item) {
      if (spanMs === 0) return;
      item.dueAtRing = rings + ringsToWait;
      list.add(item);
      timer.start();
    },
    remove: (item) => list.remove(item),
  };
}
