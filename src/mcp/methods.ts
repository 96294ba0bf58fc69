import { foldCase } from '../json/fold-case.ts';
import { knownMethods } from './known-methods.ts';

/** Methods that name an object and that the modern revisions have done away with (MCP 2026-07-28). */
export const legacyMethods: ReadonlySet<string> = new Set([
  'resources/subscribe',
  'resources/unsubscribe',
  'tasks/result',
]);

const folded = new Set([...knownMethods].map(foldCase));

/** Whether a method differs from a known one in nothing but case; methods are case-sensitive. */
export function isOtherSpelling(method: string): boolean {
  return !knownMethods.has(method) && folded.has(foldCase(method));
}
