/** What is looked for; to make it takes longer than to look. */
interface Spellings {
  readonly lower: string;
  readonly codings: readonly string[];
}

/**
 * Makes the test whether a text holds a hidden name in other letters than it was sent in: in capitals or small
 * letters, under the escapes of JSON, or in a coding (base64 of RFC 4648, 4 and 5, hexadecimal, percent-encoding of
 * every character). It could not be put back there.
 *
 * What can't be told: a part of the name, one with something in between, and what was computed of it.
 *
 * @param hidden from the mark on
 * @returns asks for a text after names were put back where they stood as they were sent
 */
export function createSpellingTest(hidden: string): (text: Buffer) => boolean {
  let spellings: Spellings | null = null;
  return (text) => {
    // No spelling has fewer characters.
    if (text.length < hidden.length) return false;
    spellings ??= { lower: hidden.toLowerCase(), codings: codingsOf(hidden) };
    return holdsOne(spellings, text.toString('latin1'));
  };
}

function holdsOne({ lower, codings }: Spellings, letters: string): boolean {
  if (letters.toLowerCase().includes(lower)) return true;
  if (codings.some((coding) => letters.includes(coding))) return true;
  return letters.includes('\\u') && withoutEscapes(letters).toLowerCase().includes(lower);
}

function withoutEscapes(letters: string): string {
  return letters.replace(/\\u00([0-9a-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(parseInt(code, 16)),
  );
}

function codingsOf(hidden: string): readonly string[] {
  const hex = Buffer.from(hidden).toString('hex');
  const percent = hex.replace(/../g, '%$&');
  // Three octets make four characters: what those at the ends are depends on what stands beside the name.
  const base64 = [0, 1, 2].map((skipped) => {
    const whole = hidden.slice(skipped, hidden.length - ((hidden.length - skipped) % 3));
    return Buffer.from(whole).toString('base64');
  });
  return [hex, hex.toUpperCase(), percent, percent.toUpperCase(), ...base64];
}
