import { foldCase } from '../json/fold-case.ts';
import { knownMethods } from './known-methods.ts';

const folded = new Set([...knownMethods].map(foldCase));

/** Whether a method differs from a known one in nothing but case; methods are case-sensitive. */
export function isOtherSpelling(method: string): boolean {
  return !knownMethods.has(method) && folded.has(foldCase(method));
}
