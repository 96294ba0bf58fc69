import { isJsonObject, type JsonObject } from '../../json/read-json.ts';

/** What one target says of itself. */
export interface TargetIntroduction {
  readonly target: string;
  readonly version: string;
  readonly capabilities: JsonObject;
  readonly instructions: string | null;
}

/** What is said of all of them together. */
export interface MergedIntroduction {
  readonly protocolVersion: string;
  readonly capabilities: JsonObject;
  readonly serverInfo: JsonObject;
  readonly instructions: string | null;
}

const MAX_INSTRUCTIONS_LENGTH = 64 * 1024;
const MAX_DEPTH = 8;
const PROTO = '__proto__';

/**
 * What several servers are as one: the lowest of their versions, whatever any of them really offers, and their
 * instructions, each under its name. The client is told of the gate, not of the servers behind it.
 *
 * @param introductions in the order of the targets; at least one
 */
export function mergeInitialize(
  introductions: readonly TargetIntroduction[],
  gate: { readonly backend: string; readonly version: string },
): MergedIntroduction {
  let protocolVersion = '';
  let capabilities: JsonObject = {};
  let instructions = '';
  for (const { target, version, capabilities: offered, instructions: words } of introductions) {
    if (protocolVersion === '' || version < protocolVersion) protocolVersion = version;
    capabilities = union(capabilities, offered, 0);
    if (words === null || words === '') continue;
    instructions += `${instructions === '' ? '' : '\n\n'}[${target}]\n${words}`;
  }
  return {
    protocolVersion,
    capabilities,
    serverInfo: { name: `postern/${gate.backend}`, version: gate.version },
    instructions: instructions === '' ? null : instructions.slice(0, MAX_INSTRUCTIONS_LENGTH),
  };
}

/** A flag that either sets is set; of other values that differ the first one stays. */
function union(one: JsonObject, other: JsonObject, depth: number): JsonObject {
  const merged: Record<string, unknown> = { ...one };
  for (const [name, value] of Object.entries(other)) {
    if (name === PROTO) continue;
    const present = Object.hasOwn(merged, name) ? merged[name] : undefined;
    if (present === undefined || (present === false && value === true)) {
      merged[name] = value;
    } else if (isJsonObject(present) && isJsonObject(value) && depth < MAX_DEPTH) {
      merged[name] = union(present, value, depth + 1);
    }
  }
  return merged;
}
