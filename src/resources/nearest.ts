const maxComparedLength = 64;

/**
 * Takes a word that someone wrote and the words that exist, and gives the one that was probably meant: the
 * same without regard to case, one that begins alike, or the nearest by edits when it is near enough. `null` where none is near.
 */
export function nearest(word: string, existing: readonly string[]): string | null {
  if (word.length > maxComparedLength) return null;
  const lower = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of existing) {
    if (candidate.length > maxComparedLength) continue;
    const other = candidate.toLowerCase();
    const isStart = lower.length >= 3 && (other.startsWith(lower) || lower.startsWith(other));
    const distance = isStart ? 1 : editDistance(lower, other);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Damerau-Levenshtein distance (adjacent transpositions count one). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let distance = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
