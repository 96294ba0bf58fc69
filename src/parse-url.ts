/**
 * Reads a URL (WHATWG URL). Never throws: what `URL.canParse` of some versions of Node.js takes for a URL, the
 * constructor may still refuse, where there are octets beyond ASCII in it.
 *
 * @param base what a relative reference is resolved against
 * @returns `null` for what is no URL
 */
export function parseUrl(text: string, base?: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
