import { isJsonObject, type JsonObject } from '../../../json/read-json.ts';
import type { RequestId } from '../../message.ts';
import { SUBSCRIPTION_ID } from '../message-trees.ts';

/** A list of a server that can change, how it says so, and how a modern client asks to hear of it. */
export interface Change {
  readonly kind: 'tools' | 'prompts' | 'resources';
  readonly flag: string;
  readonly method: string;
}

export const CHANGES: readonly Change[] = [
  { kind: 'tools', flag: 'toolsListChanged', method: 'notifications/tools/list_changed' },
  { kind: 'prompts', flag: 'promptsListChanged', method: 'notifications/prompts/list_changed' },
  {
    kind: 'resources',
    flag: 'resourcesListChanged',
    method: 'notifications/resources/list_changed',
  },
];

/** What a modern client hears of one target. */
export interface Listened {
  /** Of {@link CHANGES}. */
  readonly flags: ReadonlySet<string>;
  /** As the client names them. */
  readonly uris: readonly string[];
  /** Of its `subscriptions/listen`. */
  readonly id: RequestId;
}

/**
 * Makes of a notification of a legacy server the one that a stream of `subscriptions/listen` carries (MCP 2026-07-28):
 * it names the subscription, and holds what the specification gives it and nothing else.
 *
 * @param notification its URI is already the client's
 * @returns `null` for what the client did not ask to hear; an update of what lies below a resource that it asked for
 *   belongs to that resource
 */
export function adaptNotification(notification: JsonObject, listened: Listened): Buffer | null {
  const { method, params } = notification;
  const _meta = { [SUBSCRIPTION_ID]: listened.id };
  if (method === 'notifications/resources/updated') {
    const uri = isJsonObject(params) ? params.uri : undefined;
    if (typeof uri !== 'string' || !listened.uris.some((one) => isWithin(uri, one))) return null;
    return write(method, { uri, _meta });
  }
  const change = CHANGES.find((one) => one.method === method);
  if (change === undefined || !listened.flags.has(change.flag)) return null;
  return write(change.method, { _meta });
}

function isWithin(uri: string, parent: string): boolean {
  return uri === parent || uri.startsWith(parent.endsWith('/') ? parent : `${parent}/`);
}

function write(method: string, params: JsonObject): Buffer {
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', method, params }));
}
