/**
 * Whether a text holds a hidden name in other letters than it was sent in: in capitals or small letters, under the
 * escapes of JSON, or in a coding (base64 of RFC 4648, 4 and 5, hexadecimal, percent-encoding of every character).
 * It could not be put back there.
 *
 * What can't be told: a part of the name, one with something in between, and what was computed of it.
 *
 * @param hidden from the mark on
 * @param text after names were put back where they stood as they were sent
 */
export function holdsOtherSpelling(hidden: string, text: Buffer): boolean {
  const letters = text.toString('latin1');
  if (letters.toLowerCase().includes(hidden.toLowerCase())) return true;
  if (codingsOf(hidden).some((coding) => letters.includes(coding))) return true;
  return letters.includes('\\u') && isUnderEscapes(hidden, text);
}

function isUnderEscapes(hidden: string, text: Buffer): boolean {
  const letters = text
    .toString('latin1')
    .replace(/\\u00([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
  return letters.toLowerCase().includes(hidden.toLowerCase());
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
