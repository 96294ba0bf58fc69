/**
 * One form for all spellings that some reader takes for equal: upper case first, since the long s (U+017F) and
 * the dotless i have a capital in ASCII, then lower case for the Kelvin sign (U+212A).
 */
export function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase();
}
