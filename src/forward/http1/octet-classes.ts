/** Which octets may stand where in a message head, as tables: one look for each octet. */

/** Octets of a token (RFC 9110, 5.6.2): 1, all others 0. */
export const IS_TOKEN: Uint8Array = classOf((octet) =>
  /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(octet)),
);

/** Octets of a field value or a reason phrase (RFC 9110, 5.5): HTAB, SP, visible ASCII, obs-text. */
export const IS_TEXT: Uint8Array = classOf(
  (octet) => octet === 0x09 || (octet >= 0x20 && octet !== 0x7f),
);

/** The value of a hexadecimal digit; 255 for an octet that is none. */
export const HEX_VALUE: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) => {
  const value = Number.parseInt(String.fromCharCode(octet), 16);
  return Number.isNaN(value) ? 255 : value;
});

function classOf(contains: (octet: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => (contains(octet) ? 1 : 0));
}
