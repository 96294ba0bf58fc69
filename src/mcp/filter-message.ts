import { filterListResult } from './filter-list.ts';
import type { IsVisible, ListKind } from './list-kind.ts';
import type { McpEra, RequestId } from './message.ts';
import { scanMessage, type MessageScan, type ScanFault } from './scan-message.ts';

/** Why an answer can't be handed on, for the log: words that repeat nothing of the answer. */
export type MessageFilterFault =
  | ScanFault
  | 'a batch'
  | 'not a JSON-RPC message'
  | 'the answer to another request'
  | 'the list is not an array';

/** What to do with one message. */
export type MessageVerdict =
  | { readonly action: 'pass' }
  | { readonly action: 'drop' }
  | { readonly action: 'replace'; readonly message: Buffer }
  | { readonly action: 'fault'; readonly fault: MessageFilterFault };

/** What the gate knows of the request that a message may answer. */
export interface MessageContext {
  /** The list that was asked for and the id of the request; `null` for every other stream or request. */
  readonly expected: { readonly id: RequestId; readonly kind: ListKind } | null;
  readonly era: McpEra;
  readonly isVisible: IsVisible;
  /** Told of every message that could be read. */
  readonly onMessage?: ((scan: MessageScan) => void) | null;
}

const PASS: MessageVerdict = Object.freeze({ action: 'pass' });
const DROP: MessageVerdict = Object.freeze({ action: 'drop' });

/**
 * Decides on one message from a server to a client.
 *
 * A list is known by its shape: whatever stands in a result under `tools`, `prompts`, `resources` or
 * `resourceTemplates` is filtered, on every stream. To go by the request is not enough: answers are replayed
 * on other streams (Last-Event-ID), come on the one stream of HTTP+SSE, and servers that find the stream by
 * the request's id send a list on the stream of a later request that was given the same id.
 *
 * `notifications/resources/updated` is dropped where its URI is hidden or not to be read. Other messages,
 * errors among them, pass as they are.
 *
 * @returns a fault for what can't be read (see {@link scanMessage}) and for a batch; where a list is
 *   expected, also for a result under another id, and for a list that is neither an array nor null
 */
export function filterMessage(message: Uint8Array, context: MessageContext): MessageVerdict {
  const scan = scanMessage(message);
  if (typeof scan === 'string') return { action: 'fault', fault: scan };
  if (scan.shape === 'batch') return { action: 'fault', fault: 'a batch' };
  context.onMessage?.(scan);
  const { expected, era, isVisible } = context;
  if (expected !== null) {
    if (scan.shape !== 'object') return { action: 'fault', fault: 'not a JSON-RPC message' };
    if (scan.hasResult && scan.id !== expected.id) {
      return { action: 'fault', fault: 'the answer to another request' };
    }
    if (scan.lists.some((list) => list.kind === expected.kind && list.shape === 'other')) {
      return { action: 'fault', fault: 'the list is not an array' };
    }
  }
  if (
    scan.method === 'notifications/resources/updated' &&
    (scan.uri === null || !isVisible('resources', scan.uri))
  ) {
    return DROP;
  }
  if (scan.lists.length === 0) return PASS;
  const filtered = filterListResult(scan, era, isVisible);
  return filtered === null ? PASS : { action: 'replace', message: filtered };
}
