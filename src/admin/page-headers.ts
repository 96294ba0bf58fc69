/**
 * What every answer of the side ports carries besides its content: nothing keeps it, frames it, guesses its type or
 * loads anything for it (CSP Level 3; RFC 9111, 5.2.2.5).
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
