/**
 * A client's IP address as rules, logs and upstreams know it.
 *
 * @param native as the native server writes it: IPv4 with dots, IPv6 as eight groups of four digits
 * @returns IPv4 with dots, also where it was seen through an IPv6 socket (RFC 4291, 2.5.5.2); IPv6 in its
 *   shortest form (RFC 5952)
 */
export function addressText(native: string): string {
  if (!native.includes(':')) return native;
  const mapped = MAPPED.exec(native);
  if (mapped !== null) {
    return mapped
      .slice(1)
      .map((octet) => Number.parseInt(octet, 16))
      .join('.');
  }
  return URL.canParse(`http://[${native}]`)
    ? new URL(`http://[${native}]`).hostname.slice(1, -1)
    : native;
}

const MAPPED = /^(?:0000:){5}ffff:([0-9a-f]{2})([0-9a-f]{2}):([0-9a-f]{2})([0-9a-f]{2})$/i;
