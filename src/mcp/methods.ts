import { foldCase } from '../json/fold-case.ts';

/** The methods of all revisions, 2024-11-05 to 2026-07-28, that a client may send. */
export const knownMethods: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
  'completion/complete',
  'logging/setLevel',
  'tasks/get',
  'tasks/result',
  'tasks/update',
  'tasks/cancel',
  'tasks/list',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
  'notifications/tasks/status',
]);

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
