/**
 * Regular expressions of the RE2 language, matched in time linear in the text. The only home of the
 * library; routes and rules take patterns from here, never from JavaScript's own engine, whose worst
 * case is exponential.
 */

import { RE2JS } from '@bufbuild/re2';

/** Longest pattern, in UTF-16 code units: what Gateway API allows for a header or query value. */
export const maxPatternLength = 4096;

/** Most instructions a compiled pattern may have; `(x{500}){500}` would have 250,000. */
const maxInstructions = 10_000;

/**
 * The automaton is built while it matches. These bound what a client can make it hold: instructions
 * times states, and code units of text beyond ASCII after which it is built anew, because it
 * remembers every such character for each state.
 */
const maxAutomatonCells = 4_000_000;
const maxAutomatonStates = 10_000;
const maxRememberedText = 65_536;

/** A compiled pattern. Neither method throws. */
export interface RegularExpression {
  readonly pattern: string;
  /** Whether the pattern matches the text from its first to its last character. */
  matchesWhole(text: string): boolean;
  /** Whether the pattern matches somewhere in the text. */
  matchesPart(text: string): boolean;
}

/** Why a pattern can't be used, in one line for a person. */
export interface BadRegularExpression {
  readonly problem: string;
}

const beyondAscii = /[^\x00-\x7f]/;

/**
 * Compiles a pattern (RE2 syntax, https://github.com/google/re2/wiki/Syntax).
 *
 * @param pattern at most {@link maxPatternLength} UTF-16 code units
 * @returns the compiled pattern, or what is wrong with it; tell them apart with `'problem' in result`
 */
export function compileRegularExpression(
  pattern: string,
): RegularExpression | BadRegularExpression {
  if (pattern.length > maxPatternLength) {
    return { problem: `the pattern is longer than ${maxPatternLength} characters` };
  }
  let engine: RE2JS;
  try {
    engine = build(pattern);
  } catch (error) {
    return { problem: describe(error) };
  }
  if (engine.re2().prog.numInst() > maxInstructions) {
    return { problem: 'the pattern is too large once its repetitions are written out' };
  }
  let remembered = 0;
  const account = (text: string): void => {
    if (!beyondAscii.test(text)) return;
    remembered += text.length;
    if (remembered <= maxRememberedText) return;
    remembered = text.length;
    engine = build(pattern);
  };
  return {
    pattern,
    matchesWhole(text) {
      account(text);
      return engine.testExact(text);
    },
    matchesPart(text) {
      account(text);
      return engine.test(text);
    },
  };
}

/**
 * Checks a pattern without keeping it.
 *
 * @returns `null` where it can be compiled, else what is wrong with it
 */
export function checkRegularExpression(pattern: string): string | null {
  const result = compileRegularExpression(pattern);
  return 'problem' in result ? result.problem : null;
}

function build(pattern: string): RE2JS {
  const engine = RE2JS.compile(pattern);
  const { dfa, prog } = engine.re2();
  dfa.stateLimit = Math.min(
    maxAutomatonStates,
    Math.max(100, Math.floor(maxAutomatonCells / prog.numInst())),
  );
  return engine;
}

function describe(error: unknown): string {
  if (error instanceof RangeError) return 'the pattern is nested too deeply';
  const message = error instanceof Error ? error.message : 'unknown error';
  return message.replace('error parsing regexp: ', '').replaceAll(/\s+/g, ' ');
}
