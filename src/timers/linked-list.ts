/** What can stand in one {@link LinkedList} at a time. */
export interface Linked<Item> {
  /** The neighbours, which the list alone changes. */
  before: Item | null;
  after: Item | null;
  isLinked: boolean;
}

/** A list whose items carry its links: adding and removing, wherever the item stands, takes one step and no memory. */
export class LinkedList<Item extends Linked<Item>> {
  first: Item | null = null;
  last: Item | null = null;

  /** Adds at the end. */
  add(item: Item): void {
    item.isLinked = true;
    item.before = this.last;
    if (this.last === null) this.first = item;
    else this.last.after = item;
    this.last = item;
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
  }
}
