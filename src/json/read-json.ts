/** Strict reading of one JSON value from octets that an attacker may have chosen. */

import { isAscii } from 'node:buffer';
import { scanJson, type JsonLimits, type JsonProblem } from './scan-json.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Either a value, or what is wrong. */
export type JsonReading =
  | { readonly value: unknown; readonly problem: null; readonly hasPlainTopNumbers: boolean }
  | { readonly value: undefined; readonly problem: JsonProblem };

// `ignoreBOM` keeps a byte order mark in the text, where JSON.parse refuses it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads exactly one JSON value (RFC 8259), in the way that any other reader must read it too.
 *
 * Refuses: octets that are not UTF-8 (overlong forms, surrogates), a byte order mark, anything that is not
 * JSON or is followed by more, and what {@link scanJson} finds. A member named `constructor` is a member as
 * any other; own members of the value are data, never its prototype.
 */
export function readJson(octets: Uint8Array, limits: JsonLimits): JsonReading {
  let text: string;
  try {
    // Most messages are ASCII, and the decoder costs as much as the parser.
    text = isAscii(octets) ? asLatin1(octets) : utf8.decode(octets);
  } catch {
    return refused('not UTF-8');
  }
  // Before anything is built: the pass is what bounds the work of JSON.parse.
  const { problem, hasPlainTopNumbers } = scanJson(text, limits);
  if (problem !== null) return refused(problem);
  try {
    const value: unknown = JSON.parse(text);
    return { value, problem: null, hasPlainTopNumbers };
  } catch {
    return refused('not JSON');
  }
}

function asLatin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

/** Tells a JSON object from the other JSON values. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(problem: JsonProblem): JsonReading {
  return { value: undefined, problem };
}
