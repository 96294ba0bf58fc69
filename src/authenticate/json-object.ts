/**
 * Strict reading of a JSON object from octets that an attacker may have chosen.
 */

/** How deep a token's JSON may nest. */
export const maxJsonDepth = 32;

/** Either the members, or what is wrong in a few words that repeat nothing of the input. */
export type JsonObjectReading =
  | { readonly members: Readonly<Record<string, unknown>>; readonly problem: null }
  | { readonly members: null; readonly problem: string };

// `ignoreBOM` keeps a byte order mark in the text, where JSON.parse refuses it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads one JSON object (RFC 8259). Refuses invalid UTF-8, a byte order mark, anything but an object, a
 * member name that occurs twice in one object at any depth (RFC 8725, 2.4; two readers may pick different
 * ones), and nesting deeper than {@link maxJsonDepth}.
 */
export function readJsonObject(octets: Uint8Array): JsonObjectReading {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(octets);
  } catch {
    return refused('not UTF-8');
  }
  try {
    value = JSON.parse(text);
  } catch {
    return refused('not JSON');
  }
  if (!isJsonObject(value)) return refused('not a JSON object');
  const problem = findStructuralProblem(text);
  return problem === null ? { members: value, problem: null } : refused(problem);
}

/** Tells a JSON object from the other JSON values. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(problem: string): JsonObjectReading {
  return { members: null, problem };
}

/** Walks text that is known to be valid JSON, so only strings and brackets matter. */
function findStructuralProblem(text: string): string | null {
  // One entry for each open bracket: the names seen in an object, `null` for an array.
  const open: (Set<string> | null)[] = [];
  let names: Set<string> | null = null;
  let expectsName = false;
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charAt(index)) {
      case '{':
        names = new Set();
        open.push(names);
        expectsName = true;
        break;
      case '[':
        names = null;
        open.push(names);
        expectsName = false;
        break;
      case '}':
      case ']':
        open.pop();
        names = open.at(-1) ?? null;
        expectsName = false;
        break;
      case ',':
        expectsName = names !== null;
        break;
      case '"': {
        const end = endOfString(text, index);
        if (expectsName && names !== null) {
          const name = String(JSON.parse(text.slice(index, end + 1)));
          if (names.has(name)) return 'a member occurs twice';
          names.add(name);
          expectsName = false;
        }
        index = end;
        break;
      }
      default:
    }
    if (open.length > maxJsonDepth) return 'nested too deeply';
  }
  return null;
}

/** @param start index of the opening quote */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return index;
}
