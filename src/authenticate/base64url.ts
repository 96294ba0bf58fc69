/** The octets of canonical base64url (RFC 7515, 2; RFC 4648, 3.5), or `null` for any other spelling. */
export function decodeBase64url(text: string): Uint8Array | null {
  const octets = Buffer.from(text, 'base64url');
  return octets.toString('base64url') === text ? octets : null;
}
