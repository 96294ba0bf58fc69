/**
 * Sealed ids: what a client holds in place of an id of the upstream.
 *
 * A sealed id is opaque, authentic and bound to its owner and backend; it carries the upstream's id, so
 * that the gate remembers nothing and any replica with the same key can serve any request.
 *
 *     base64url( version 1 | key id 4 | nonce 12 | AES-256-GCM( issued at 6 | upstream id ) | tag 16 )
 *
 * A lasting id has version 2, no time in it, and a nonce made of what is sealed (HMAC-SHA-256 with a key of its own, over
 * the associated data and the id, cut to 12 octets): the same id is sealed the same way, another with another nonce.
 *
 * The associated data are the octets in front of the ciphertext, the kind and the binding. Every kind has a
 * key of its own (HKDF, RFC 5869). Nonces are random: one session key should seal no more than 2^32 ids of
 * a kind (NIST SP 800-38D, 8.3), a thousand a second for seven weeks.
 *
 * **Expiry.** An id is refused when it is older than the lifetime. It can't slide of itself: sliding
 * needs a memory of the last use, and there is none but what the client holds. So:
 *
 * - `open` asks for a new id when half of the lifetime is over (or the key is no longer the first), and the
 *   gate sends it in the `Mcp-Session-Id` of any answer. Clients that take it from every answer slide: in
 *   use, their session never ends. SDK 1.x for TypeScript does. The id before stays valid until its own
 *   end, since an answer may be lost, or overtaken by another request.
 * - Clients that take the id from the initialize answer alone, as the protocol says (SDK 2.x does), have a
 *   session that ends one lifetime after it began, used or not: 404, after which the protocol has them
 *   initialize again. So the lifetime should be days, not minutes.
 * - A long lifetime gives nobody access: every request needs a valid token of the same owner besides. The
 *   life of the session is the upstream's to end. The expiry only bounds how long an id from a log or a
 *   backup means anything at all, and taking a key out of service ends all ids under it at once.
 */

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import type { Clock, EpochMilliseconds, Milliseconds } from '../units.ts';
import { bindingFields, encodeFields } from './seal-binding.ts';
import type { SealBinding } from './seal-binding.ts';

/**
 * What an id is for: `sse` is the `sessionId` of the legacy HTTP+SSE transport, `request` the id of a request
 * that a server sends to the client, `name` what a denied object is called towards the upstream.
 */
export const sealKinds = ['session', 'task', 'event', 'sse', 'request', 'name'] as const;
export type SealKind = (typeof sealKinds)[number];

const algorithm = 'aes-256-gcm';
const version = 1;
const lastingVersion = 2;
const keyIdBytes = 4;
const nonceBytes = 12;
const tagBytes = 16;
const timeBytes = 6;
const headBytes = 1 + keyIdBytes + nonceBytes;
/** Longest id of an upstream, in octets of UTF-8. */
export const maxUpstreamIdBytes = 4096;
const maxSealedBytes = headBytes + timeBytes + maxUpstreamIdBytes + tagBytes;
/** Longest sealed id, in characters. */
export const maxSealedLength = Math.ceil((maxSealedBytes * 4) / 3);
/** How far the clocks of replicas may be apart. */
const maxClockLeadMs = 300_000;

export interface SealerOptions {
  /** 32 octets each, at least one: the first seals, all open. */
  readonly keys: readonly Uint8Array[];
  readonly clock: Clock;
  readonly lifetimeMs: Milliseconds;
}

export interface OpenedId {
  readonly upstreamId: string;
  readonly issuedAtMs: EpochMilliseconds;
  /** Half of the lifetime is over, or the key is no longer the one that seals. */
  readonly needsReseal: boolean;
}

export interface Sealer {
  /**
   * Seals an id of the upstream.
   *
   * @returns A-Z, a-z, 0-9, `-` and `_`, at most 5,514 characters; `null` where the upstream's id is
   *   empty, longer than {@link maxUpstreamIdBytes} or not well-formed Unicode
   */
  seal(kind: SealKind, binding: SealBinding, upstreamId: string): string | null;
  /**
   * Opens what a client sent.
   *
   * @returns `null` where it is not from this deployment, of another kind, owner or backend, changed in
   *   any character, or expired. Which of them is not told.
   */
  open(kind: SealKind, binding: SealBinding, sealed: string): OpenedId | null;
  /** Whether what was opened before would be opened now too, and needs no new seal. */
  isFresh(opened: OpenedId): boolean;
  /**
   * Seals an id that has to look the same each time it is sealed, because the client compares it: of a task, of
   * a request. It has no end of its own; whoever owns it still has to show a token and, where there is one, a session.
   *
   * @returns as `seal` does
   */
  sealLasting(kind: SealKind, binding: SealBinding, upstreamId: string): string | null;
  /** Opens what `sealLasting` made; `null` as of `open`. */
  openLasting(kind: SealKind, binding: SealBinding, sealed: string): string | null;
}

interface SealingKey {
  readonly id: Buffer;
  readonly secrets: Readonly<Record<SealKind, Uint8Array>>;
  /** Makes the nonces of lasting ids. */
  readonly nonceSecret: Uint8Array;
}

/**
 * Makes the sealer of a process.
 *
 * @throws Error for no key, or one that has not 32 octets: `parseSessionKeys` makes no such keys
 */
export function createSealer({ keys, clock, lifetimeMs }: SealerOptions): Sealer {
  const sealingKeys = keys.map(deriveKey);
  const [first] = sealingKeys;
  if (first === undefined) throw new Error('a sealer needs at least one key');

  return {
    seal(kind, binding, upstreamId) {
      const text = textOf(upstreamId);
      if (text === null) return null;
      const time = Buffer.allocUnsafe(timeBytes);
      time.writeUIntBE(clock(), 0, timeBytes);
      const head = headOf(version, first, randomBytes(nonceBytes));
      return encrypt(head, first, kind, binding, [time, text]);
    },

    open(kind, binding, sealed) {
      const octets = decode(sealed, version, timeBytes);
      if (octets === null) return null;
      for (const key of sealingKeys) {
        const plain = decrypt(octets, key, kind, binding);
        if (plain === null) continue;
        const issuedAtMs = plain.readUIntBE(0, timeBytes);
        const ageMs = clock() - issuedAtMs;
        if (ageMs >= lifetimeMs || ageMs < -maxClockLeadMs) return null;
        return {
          upstreamId: plain.toString('utf8', timeBytes),
          issuedAtMs,
          needsReseal: key !== first || ageMs >= lifetimeMs / 2,
        };
      }
      return null;
    },

    isFresh({ issuedAtMs, needsReseal }) {
      const ageMs = clock() - issuedAtMs;
      return !needsReseal && ageMs < lifetimeMs / 2 && ageMs >= -maxClockLeadMs;
    },

    sealLasting(kind, binding, upstreamId) {
      const text = textOf(upstreamId);
      if (text === null) return null;
      const nonce = createHmac('sha256', first.nonceSecret)
        .update(encodeFields([kind, ...bindingFields(binding)]))
        .update(text)
        .digest()
        .subarray(0, nonceBytes);
      return encrypt(headOf(lastingVersion, first, nonce), first, kind, binding, [text]);
    },

    openLasting(kind, binding, sealed) {
      const octets = decode(sealed, lastingVersion, 0);
      if (octets === null) return null;
      for (const key of sealingKeys) {
        const plain = decrypt(octets, key, kind, binding);
        if (plain !== null) return plain.toString('utf8');
      }
      return null;
    },
  };
}

/** Whether a text has the form of what `sealLasting` makes, by whatever key. */
export function looksLasting(text: string): boolean {
  return decode(text, lastingVersion, 0) !== null;
}

/** The octets of an upstream's id, or `null` where it can't be sealed. */
function textOf(upstreamId: string): Buffer | null {
  const text = Buffer.from(upstreamId, 'utf8');
  if (text.length === 0 || text.length > maxUpstreamIdBytes) return null;
  if (text.length !== upstreamId.length && text.toString('utf8') !== upstreamId) return null;
  return text;
}

function headOf(kindOfId: number, key: SealingKey, nonce: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(kindOfId), key.id, nonce]);
}

function encrypt(
  head: Buffer,
  key: SealingKey,
  kind: SealKind,
  binding: SealBinding,
  texts: readonly Buffer[],
): string {
  const cipher = createCipheriv(algorithm, key.secrets[kind], head.subarray(1 + keyIdBytes));
  cipher.setAAD(associatedData(head, kind, binding));
  const body = texts.map((text) => cipher.update(text));
  return Buffer.concat([head, ...body, cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/**
 * A short name of a session for the log, from which the id can't be found.
 *
 * @param id the upstream's id: it stays the same when the sealed id is renewed
 * @returns 16 hexadecimal digits
 */
export function hashSessionId(id: string): string {
  return createHash('sha256').update('postern session id\0').update(id).digest('hex').slice(0, 16);
}

function deriveKey(key: Uint8Array): SealingKey {
  if (key.length !== 32) throw new Error('a session key has 32 octets');
  const derive = (purpose: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', key, '', encodeFields(['postern seal', purpose]), length));
  return {
    id: derive('key id', keyIdBytes),
    secrets: {
      session: derive('session', 32),
      task: derive('task', 32),
      event: derive('event', 32),
      sse: derive('sse', 32),
      request: derive('request', 32),
      name: derive('name', 32),
    },
    nonceSecret: derive('nonce', 32),
  };
}

function associatedData(head: Buffer, kind: SealKind, binding: SealBinding): Buffer {
  return Buffer.concat([head, encodeFields([kind, ...bindingFields(binding)])]);
}

/** One spelling alone is accepted: a client can't have two ids for one session. */
function decode(sealed: string, kindOfId: number, prefixBytes: number): Buffer | null {
  if (sealed.length > maxSealedLength) return null;
  const octets = Buffer.from(sealed, 'base64url');
  if (octets.length <= headBytes + prefixBytes + tagBytes || octets[0] !== kindOfId) return null;
  return octets.toString('base64url') === sealed ? octets : null;
}

/** @returns `null` where another key sealed it, or it is not what was sealed */
function decrypt(
  octets: Buffer,
  key: SealingKey,
  kind: SealKind,
  binding: SealBinding,
): Buffer | null {
  if (key.id.compare(octets, 1, 1 + keyIdBytes) !== 0) return null;
  const head = octets.subarray(0, headBytes);
  const nonce = octets.subarray(1 + keyIdBytes, headBytes);
  const decipher = createDecipheriv(algorithm, key.secrets[kind], nonce, {
    authTagLength: tagBytes,
  });
  decipher.setAAD(associatedData(head, kind, binding));
  decipher.setAuthTag(octets.subarray(octets.length - tagBytes));
  const start = decipher.update(octets.subarray(headBytes, octets.length - tagBytes));
  try {
    return Buffer.concat([start, decipher.final()]);
  } catch {
    return null;
  }
}
