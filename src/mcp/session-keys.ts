/** The keys that seal session ids, as a deployment hands them to all of its replicas. */

import { randomBytes } from 'node:crypto';

/** Where deployments put their keys. */
export const SESSION_KEY_VARIABLE = 'POSTERN_SESSION_KEY';

/** AES-256. */
const keyBytes = 32;
/** The current key, the one before, and a margin; each is tried when an id is opened. */
const maxKeys = 8;

export type SessionKeys =
  | { readonly ok: true; readonly keys: readonly Uint8Array[] }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads `POSTERN_SESSION_KEY`: keys separated by commas, the first for sealing, all for opening, so that a new
 * key is put in front and the old one left out when ids under it may end.
 *
 * @param text each key 32 random octets in hexadecimal (64 digits), base64 or base64url (RFC 4648), as
 *   `openssl rand -hex 32` makes them; spaces around a key are ignored
 * @returns the keys, or one sentence about what is wrong, which never contains a key
 */
export function parseSessionKeys(text: string): SessionKeys {
  const words = text.split(',', maxKeys + 1).map((word) => word.trim());
  if (words.length > maxKeys) return wrong(`there are more than ${maxKeys} keys`);
  const keys: Uint8Array[] = [];
  for (const [index, word] of words.entries()) {
    const which = words.length === 1 ? 'the key' : `key ${index + 1} of ${words.length}`;
    const key = decode(word);
    if (key === null) {
      return wrong(`${which} must be ${keyBytes} octets in hexadecimal or base64`);
    }
    if (key.every((octet) => octet === key[0])) return wrong(`${which} is not random`);
    if (keys.some((other) => Buffer.compare(other, key) === 0)) {
      return wrong(`${which} is there twice`);
    }
    keys.push(key);
  }
  return { ok: true, keys };
}

function wrong(problem: string): SessionKeys {
  return { ok: false, problem: `session key: ${problem}` };
}

function decode(word: string): Uint8Array | null {
  if (/^[0-9a-fA-F]{64}$/.test(word)) return Buffer.from(word, 'hex');
  if (!/^(?:[A-Za-z0-9+/]{43}|[A-Za-z0-9_-]{43})=?$/.test(word)) return null;
  const key = Buffer.from(word, 'base64url');
  return key.length === keyBytes ? key : null;
}

/** Makes a key for a deployment that has none: sessions then end with the process. */
export function makeSessionKey(): string {
  return randomBytes(keyBytes).toString('hex');
}
