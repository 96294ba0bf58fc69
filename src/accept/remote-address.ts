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

/**
 * Reads addresses as the native server lends them: ASCII text in memory of its own. Many requests in a row come from
 * one address, whose text is kept: to decode it costs more than to compare it.
 */
export function createAddressReader(): (lent: ArrayBuffer) => string {
  const known = new Uint8Array(64);
  let knownLength = -1;
  let text = '';
  return (lent) => {
    const octets = new Uint8Array(lent);
    if (octets.length === knownLength && startsWith(known, octets)) return text;
    text = addressText(Buffer.from(lent).toString('latin1'));
    knownLength = octets.length <= known.length ? octets.length : -1;
    if (knownLength >= 0) known.set(octets);
    return text;
  };
}

function startsWith(whole: Uint8Array, start: Uint8Array): boolean {
  for (let index = 0; index < start.length; index += 1) {
    if (whole[index] !== start[index]) return false;
  }
  return true;
}

const MAPPED = /^(?:0000:){5}ffff:([0-9a-f]{2})([0-9a-f]{2}):([0-9a-f]{2})([0-9a-f]{2})$/i;
