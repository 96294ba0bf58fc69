import { STATUS_CODES } from 'node:http';

const lines = new Map<number, string>(
  Object.entries(STATUS_CODES).map(([code, phrase]) => [Number(code), `${code} ${phrase ?? ''}`]),
);

/**
 * Status code and reason phrase as the native server wants them (RFC 9112, 4).
 *
 * @param status 100 to 999; a code without a registered phrase gets an empty one
 */
export function statusLine(status: number): string {
  return lines.get(status) ?? `${status} `;
}
