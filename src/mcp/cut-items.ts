import type { Edit } from './splice.ts';

/**
 * Adds the edits that take items out of an array in a JSON text, with the commas that they leave without use.
 *
 * @param hidden for each item, in order, whether it is taken out
 * @param starts octets where the items begin, and `ends` where they end
 */
export function cutItems(
  hidden: readonly boolean[],
  starts: readonly number[],
  ends: readonly number[],
  edits: Edit[],
): void {
  let index = hidden.indexOf(true);
  while (index >= 0) {
    const firstKept = hidden.indexOf(false, index);
    const from = starts[index] ?? 0;
    if (firstKept >= 0) {
      // Up to the next item that stays: their commas go with them.
      edits.push({ start: from, end: starts[firstKept] ?? from, text: '' });
      index = hidden.indexOf(true, firstKept);
    } else {
      // To the end of the list: the comma before them goes with them.
      edits.push({ start: ends[index - 1] ?? from, end: ends.at(-1) ?? from, text: '' });
      return;
    }
  }
}
