/** Octets of a text to put something else in place of. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The text with other octets in some places; all else stays octet by octet.
 *
 * @param edits in any order; none overlaps another. Sorted in place
 * @returns memory that nothing else holds
 */
export function splice(text: Buffer, edits: Edit[]): Buffer {
  edits.sort((one, other) => one.start - other.start);
  let length = text.length;
  for (const { start, end, text: added } of edits) {
    length += Buffer.byteLength(added) - (end - start);
  }
  const edited = Buffer.allocUnsafeSlow(length);
  let read = 0;
  let written = 0;
  for (const { start, end, text: added } of edits) {
    written += text.copy(edited, written, read, start);
    written += edited.write(added, written, 'utf8');
    read = end;
  }
  text.copy(edited, written, read);
  return edited;
}
