/** What can stand in one {@link LinkedList} at a time. */
export interface Linked<Item> {
  /** The neighbours, which the list alone changes. */
  before: Item | null;
  after: Item | null;
  isLinked: boolean;
}

/**
 * A list whose items carry its links: adding and removing, wherever the item stands, takes one step and no memory.
 *
 * On the hot path it stands in for a Set, whose table is replaced every few additions: V8 links each table
 * to the next, so that one that has grown old keeps all that were in the later ones from being collected young.
 */
export class LinkedList<Item extends Linked<Item>> {
  first: Item | null = null;
  last: Item | null = null;
  length = 0;

  /** Adds at the end; does nothing with one that is in the list. */
  add(item: Item): void {
    if (item.isLinked) return;
    item.isLinked = true;
    this.length += 1;
    item.before = this.last;
    if (this.last === null) this.first = item;
    else this.last.after = item;
    this.last = item;
  }

  /** Visits what is in the list now, and is still in it when its turn comes: whoever visits may take his time. */
  *[Symbol.iterator](): Generator<Item, void> {
    const items: Item[] = [];
    for (let item = this.first; item !== null; item = item.after) items.push(item);
    for (const item of items) if (item.isLinked) yield item;
  }

  /** Takes an item out; does nothing with one that is not in the list. */
  remove(item: Item): void {
    if (!item.isLinked) return;
    if (item.before === null) this.first = item.after;
    else item.before.after = item.after;
    if (item.after === null) this.last = item.before;
    else item.after.before = item.before;
    item.before = null;
    item.after = null;
    item.isLinked = false;
    this.length -= 1;
  }
}
