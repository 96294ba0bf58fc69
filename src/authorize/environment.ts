/**
 * The CEL environment of all authorization rules: one per process, hardened. Where the library's own
 * functions are looser than CEL (https://github.com/google/cel-spec) or can be made slow by the text
 * they work on, {@link replacements} names the function that stands in for them.
 */

import { Environment } from '@marcbachmann/cel-js';
import { Duration } from '@marcbachmann/cel-js/evaluator';
import { compileRegularExpression } from '../re2.ts';
import type { RegularExpression } from '../re2.ts';
import { effort } from './effort.ts';
import { chargingFunctions } from './meter-loops.ts';
import {
  parseDuration,
  parseTimestamp,
  replace,
  split,
  toAsciiLower,
  toAsciiUpper,
} from './text.ts';

/** What a rule may mention: each a map. */
export const roots = ['jwt', 'request', 'source', 'mcp'] as const;
export type Root = (typeof roots)[number];

export const limits = Object.freeze({
  maxAstNodes: 2000,
  maxDepth: 64,
  maxListElements: 1000,
  maxMapEntries: 1000,
  maxCallArguments: 16,
});

/** A pattern that stood in the expression as a literal: compiled once, when the rule is. */
export class ConstantPattern {
  readonly expression: RegularExpression;

  constructor(expression: RegularExpression) {
    this.expression = expression;
  }
}

/**
 * CEL function name to the name under which this environment has it. The compile step renames calls,
 * because the library refuses to replace a function of its own.
 */
export const replacements: ReadonlyMap<string, string> = new Map([
  ['matches', 're2Matches'],
  ['lowerAscii', 'asciiLower'],
  ['upperAscii', 'asciiUpper'],
  ['split', 'boundedSplit'],
  ['timestamp', 'rfc3339Timestamp'],
  ['duration', 'boundedDuration'],
  ['int', 'checkedInt'],
]);

/** Functions of the library that are no part of CEL and can produce values that nothing has checked. */
export const refusedFunctions: ReadonlySet<string> = new Set(['json']);

/** Longest pattern that may come from a claim or a request, and how many of them are remembered. */
const maxDynamicPatternLength = 256;
const maxDynamicPatterns = 128;

/** The environment that every rule is compiled in. */
export const environment: Environment = createEnvironment(
  new Map(roots.map((root) => [root, 'map'])),
);

/** The same for expressions that were accepted and have grown by the charges of their loops. */
export const meteredEnvironment: Environment = createEnvironment(
  new Map(roots.map((root) => [root, 'map'])),
  { ...limits, maxAstNodes: 4 * limits.maxAstNodes, maxDepth: 3 * limits.maxDepth },
);

/**
 * @param variables CEL type by name of variable
 * @returns an environment with these variables and the hardened functions
 */
export function createEnvironment(
  variables: ReadonlyMap<string, string>,
  bounds: Readonly<Record<keyof typeof limits, number>> = limits,
): Environment {
  const env = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: bounds,
  });
  for (const [name, type] of variables) env.registerVariable(name, type);
  addFunctions(env);
  return env;
}

function addFunctions(env: Environment): void {
  const time = 'google.protobuf.Timestamp';
  const duration = 'google.protobuf.Duration';
  // Functions are synchronous; the library assumes otherwise unless it is told.
  const add = (signature: string, handler: (...args: never[]) => unknown): void => {
    env.registerFunction(signature, handler, { async: false });
  };

  add(`${chargingFunctions.loop}(dyn): dyn`, effort.loop);
  add(`${chargingFunctions.scan}(dyn): dyn`, effort.scan);
  add(`${chargingFunctions.work}(dyn): dyn`, effort.work);

  env.registerType('RegularExpression', ConstantPattern);
  const matchesDynamic = createDynamicMatcher();
  const matchesConstant = (text: string, pattern: ConstantPattern): boolean =>
    pattern.expression.matchesPart(text);
  add('string.re2Matches(RegularExpression): bool', matchesConstant);
  add('re2Matches(string, RegularExpression): bool', matchesConstant);
  add('string.re2Matches(string): bool', matchesDynamic);
  add('re2Matches(string, string): bool', matchesDynamic);

  add('string.asciiLower(): string', toAsciiLower);
  add('string.asciiUpper(): string', toAsciiUpper);
  add('string.boundedSplit(string): list<string>', (text: string, separator: string) =>
    split(text, separator, -1),
  );
  add('string.boundedSplit(string, int): list<string>', (text: string, by: string, limit: bigint) =>
    split(text, by, Number(limit)),
  );
  add('string.charAt(int): string', (text: string, index: bigint) => {
    const characters = Array.from(text);
    if (index < 0n || index > characters.length) throw new Error('charAt: index out of range');
    return characters[Number(index)] ?? '';
  });
  add('string.replace(string, string): string', (text: string, from: string, to: string) =>
    replace(text, from, to, -1),
  );
  add(
    'string.replace(string, string, int): string',
    (text: string, from: string, to: string, limit: bigint) =>
      replace(text, from, to, Number(limit)),
  );

  add(`rfc3339Timestamp(string): ${time}`, (text: string) => parseTimestamp(text));
  add(`rfc3339Timestamp(int): ${time}`, (seconds: bigint) => timestampFromSeconds(seconds));
  add(`rfc3339Timestamp(${time}): ${time}`, (value: Date) => value);
  add(`boundedDuration(string): ${duration}`, (text: string) => {
    const { seconds, nanos } = parseDuration(text);
    return new Duration(seconds, nanos);
  });
  add(`boundedDuration(${duration}): ${duration}`, (value: Duration) => value);
  add('checkedInt(int): int', (value: bigint) => value);
  add('checkedInt(uint): int', (value: { valueOf(): bigint }) => toInt64(value.valueOf()));
  add('checkedInt(double): int', (value: number) => {
    // 2 to the power of 63 is a double, the largest int is not.
    if (!(Math.abs(value) < 2 ** 63)) throw new Error('int: out of range');
    return BigInt(Math.trunc(value));
  });
  add('checkedInt(string): int', (text: string) => {
    if (!/^-?\d{1,19}$/.test(text)) throw new Error('int: not a number');
    return toInt64(BigInt(text));
  });
  add(`checkedInt(${time}): int`, (value: Date) => BigInt(Math.floor(value.getTime() / 1000)));
  add(`string(${time}): string`, (value: Date) => value.toISOString().replace(/\.?0*Z$/, 'Z'));
  add(`string(${duration}): string`, (value: Duration) => value.toString());
}

function createDynamicMatcher(): (text: string, pattern: string) => boolean {
  const compiled = new Map<string, ReturnType<typeof compileRegularExpression>>();
  return (text, pattern) => {
    let result = compiled.get(pattern);
    if (result === undefined) {
      result =
        pattern.length > maxDynamicPatternLength
          ? { problem: 'too long' }
          : compileRegularExpression(pattern);
      if (pattern.length <= maxDynamicPatternLength) {
        const oldest = compiled.keys().next();
        if (compiled.size >= maxDynamicPatterns && oldest.done !== true) {
          compiled.delete(oldest.value);
        }
        compiled.set(pattern, result);
      }
    }
    if ('problem' in result) throw new Error('matches: the pattern is not valid');
    return result.matchesPart(text);
  };
}

function timestampFromSeconds(seconds: bigint): Date {
  if (seconds < -62_135_596_800n || seconds > 253_402_300_799n) {
    throw new Error('timestamp: out of range');
  }
  return new Date(Number(seconds) * 1000);
}

function toInt64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new Error('int: out of range');
  return value;
}
