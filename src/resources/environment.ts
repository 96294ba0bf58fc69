/**
 * `${NAME}` in the string values of a document stands for the environment variable NAME; `$${` stands for a
 * literal `${`.
 *
 * It works on data that was already read: a variable's value is a plain string, whatever it holds, and can
 * neither add a field nor turn into a number. Field names, `metadata.annotations` (which other tools write)
 * and `status` are left as they are. CEL expressions are string values like others.
 */

import type { FieldPath } from './problem.ts';
import type { Finding } from './kinds/finding.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substitution {
  readonly value: unknown;
  /** Paths of the values that hold text from the environment. */
  readonly substituted: readonly FieldPath[];
  /** Unset variables, malformed references, too much text. */
  readonly findings: readonly Finding[];
}

/** UTF-16 code units that the variables may add to one document. */
const maxSubstitutedLength = 4 * 1024 * 1024;

const reference = /\$\$\{|\$\{([^}]*)(\}?)/g;
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const untouched = new Set(['metadata.annotations', 'metadata.managedFields', 'status']);

/**
 * Gives a copy of a document with its references replaced. A reference to a variable that is not set, or
 * that is not of the form `${NAME}`, is a finding and stays as it is.
 */
export function substituteEnvironment(document: unknown, environment: Environment): Substitution {
  const substituted: FieldPath[] = [];
  const findings: Finding[] = [];
  const used = { length: 0 };

  const inText = (text: string, path: FieldPath): string => {
    if (!text.includes('${')) return text;
    return text.replace(reference, (whole: string, name?: string, end?: string) => {
      if (whole === '$${') return '${';
      if (name === undefined || end !== '}' || !variableName.test(name)) {
        findings.push({ path, message: malformed });
        return whole;
      }
      const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
      if (value === undefined) {
        findings.push({
          path,
          message: `needs the environment variable ${name}, which is not set; write $\${ for a literal \${`,
        });
        return whole;
      }
      if (substituted.at(-1) !== path) substituted.push(path);
      used.length += value.length;
      return used.length > maxSubstitutedLength ? '' : value;
    });
  };

  const walk = (value: unknown, path: FieldPath): unknown => {
    if (typeof value === 'string') return inText(value, path);
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    if (path.length <= 2 && untouched.has(path.join('.'))) return value;
    const copy: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(value)) copy[name] = walk(item, [...path, name]);
    return copy;
  };

  const value = walk(document, []);
  if (used.length > maxSubstitutedLength) {
    findings.push({
      path: [],
      message: `holds too much text from the environment; at most ${maxSubstitutedLength} characters`,
    });
  }
  return { value, substituted, findings };
}

const malformed = 'holds "${" without a variable name and "}"; write $${ for a literal ${';
