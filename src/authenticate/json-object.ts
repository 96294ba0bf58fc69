/**
 * Strict reading of a JSON object from octets that an attacker may have chosen.
 */

import { isJsonObject, readJson, type JsonObject } from '../json/read-json.ts';
import type { JsonLimits } from '../json/scan-json.ts';

export { isJsonObject };

/** How deep the JSON of a token or a key set may nest. */
export const maxJsonDepth = 32;

const limits: JsonLimits = { maxDepth: maxJsonDepth, maxValues: 100_000 };

/** Either the members, or what is wrong in a few words that repeat nothing of the input. */
export type JsonObjectReading =
  | { readonly members: JsonObject; readonly problem: null }
  | { readonly members: null; readonly problem: string };

/**
 * Reads one JSON object (RFC 8259). Refuses anything but an object, and what {@link readJson} refuses: most
 * of all a member name that occurs twice in one object at any depth (RFC 8725, 2.4; two readers may pick
 * different ones), and nesting deeper than {@link maxJsonDepth}.
 */
export function readJsonObject(octets: Uint8Array): JsonObjectReading {
  const { value, problem } = readJson(octets, limits);
  if (problem !== null) return { members: null, problem };
  if (!isJsonObject(value)) return { members: null, problem: 'not a JSON object' };
  return { members: value, problem: null };
}
