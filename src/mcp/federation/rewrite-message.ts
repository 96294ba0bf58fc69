import { isUtf8 } from 'node:buffer';
import type { SealOwner } from '../seal-binding.ts';
import { findValues, type FoundValue, type ValueTree } from '../find-values.ts';
import { elicitationTree } from './message-trees.ts';
import { MEMBER_TWICE, scalarAt, stringAt } from '../json-octets.ts';
import type { RequestId } from '../message.ts';
import { splice, type Edit } from '../splice.ts';
import type { NameIndex } from './name-index.ts';
import { namePrefix } from './names.ts';
import type { IdSealer } from './sealed-ids.ts';

/** Why a message of a target can't be handed on, for the log: words that repeat nothing of it. */
export type RewriteFault =
  | 'not UTF-8'
  | 'not a JSON-RPC message'
  | 'a member occurs twice'
  | 'the answer to another request'
  | 'an id is too long';

/** What is known of the stream that a message of a target came on. */
/** The id that a request went to its target under. */
export interface ExpectedId {
  readonly id: RequestId;
  /** The JSON text of the client's own id, where the request went under another; else `null`. */
  readonly clientRaw: string | null;
}

export interface RewriteContext {
  readonly target: string;
  readonly owner: SealOwner;
  readonly ids: IdSealer;
  /** Whether resources carry the target's name. */
  readonly isPrefixed: boolean;
  /** What is known of names that carry no target; `null` where they do. */
  readonly names: Pick<NameIndex, 'locate'> | null;
  /** The request that the stream answers; `null`: it answers none. */
  readonly expected: ExpectedId | null;
  /** From `treesFor`. */
  readonly trees: readonly ValueTree[];
  /** Whether the client can answer requests: a stream of the legacy era. */
  readonly passesRequests: boolean;
}

export type Rewriting =
  | { readonly kind: 'response'; readonly message: Buffer }
  | { readonly kind: 'notification'; readonly message: Buffer }
  /** A request that is for the client. */
  | { readonly kind: 'request'; readonly message: Buffer }
  /** A request that the gate answers itself. */
  | { readonly kind: 'refused-request'; readonly id: string; readonly method: string }
  /** Nothing that the client may get: an answer to a request that it did not send here, an id of nobody. */
  | { readonly kind: 'dropped' }
  | { readonly kind: 'fault'; readonly fault: RewriteFault };

const DROPPED: Rewriting = Object.freeze({ kind: 'dropped' });

/**
 * Rewrites one message of a target for the client: URIs and tasks get the target's name in front of them, ids and
 * progress tokens of the server's requests are sealed, those of the client's are put back. All else stays octet by
 * octet.
 *
 * A target can't speak for another: responses must answer the request of the stream, progress tokens must be ones
 * that this target was given, and the rest is dropped.
 */
export function rewriteMessage(message: Buffer, context: RewriteContext): Rewriting {
  if (!isUtf8(message)) return { kind: 'fault', fault: 'not UTF-8' };
  const found: FoundValue[] = [];
  // Few messages speak of one, and the name may be written with escapes.
  const mayElicit = message.includes('elicitationId') || message.includes('\\');
  for (const tree of mayElicit ? [...context.trees, elicitationTree] : context.trees) {
    const values = findValues(message, tree);
    if (typeof values === 'number') {
      const isTwice = values === MEMBER_TWICE;
      return { kind: 'fault', fault: isTwice ? 'a member occurs twice' : 'not a JSON-RPC message' };
    }
    found.push(...values);
  }
  const rewriter = new Rewriter(message, context, found);
  return rewriter.rewrite();
}

class Rewriter {
  readonly #message: Buffer;
  readonly #context: RewriteContext;
  readonly #found: readonly FoundValue[];
  readonly #edits: Edit[] = [];
  #isTooLong = false;

  constructor(message: Buffer, context: RewriteContext, found: readonly FoundValue[]) {
    this.#message = message;
    this.#context = context;
    this.#found = found;
  }

  rewrite(): Rewriting {
    const idRaw = this.#raw('id');
    const methodValue = this.#value('method');
    if (methodValue === undefined) return this.#response();
    const method = stringAt(this.#message, methodValue.start, methodValue.end);
    if (method === null) return { kind: 'fault', fault: 'not a JSON-RPC message' };
    return idRaw === null ? this.#notification(method) : this.#request(idRaw, method);
  }

  #response(): Rewriting {
    const { expected } = this.#context;
    if (expected === null) return DROPPED;
    const value = this.#value('id');
    const id = value === undefined ? null : scalarAt(this.#message, value.start, value.end);
    // Some errors, such as of a message that could not be read, have no id.
    const isOfNobody = id === null && this.#value('error') !== undefined;
    if (id !== expected.id && !isOfNobody) {
      return { kind: 'fault', fault: 'the answer to another request' };
    }
    if (value !== undefined && expected.clientRaw !== null && !isOfNobody) {
      this.#edits.push({ start: value.start, end: value.end, text: expected.clientRaw });
    }
    this.#prefix('uri', 'task', 'elicitation');
    return this.#done('response');
  }

  #notification(method: string): Rewriting {
    const subscription = this.#value('subscription');
    if (subscription !== undefined) {
      const id = scalarAt(this.#message, subscription.start, subscription.end);
      if (id !== this.#context.expected?.id) return DROPPED;
    }
    this.#prefix('task', 'elicitation');
    switch (method) {
      case 'notifications/resources/updated':
        if (this.#isOfAnother('params uri') || !this.#prefixOne('params uri')) return DROPPED;
        break;
      case 'notifications/tasks/status':
      case 'notifications/tasks':
        if (!this.#prefixOne('params task')) return DROPPED;
        break;
      case 'notifications/progress':
        if (!this.#putBackToken()) return DROPPED;
        break;
      case 'notifications/cancelled':
        if (!this.#sealOne('requestId', 'request')) return DROPPED;
        break;
    }
    return this.#done('notification');
  }

  #request(idRaw: string, method: string): Rewriting {
    if (!this.#context.passesRequests) return { kind: 'refused-request', id: idRaw, method };
    this.#prefix('task', 'elicitation');
    this.#sealOne('id', 'request');
    if (this.#value('params token') !== undefined) this.#sealOne('params token', 'server-token');
    return this.#done('request');
  }

  #done(kind: 'response' | 'notification' | 'request'): Rewriting {
    if (this.#isTooLong) return { kind: 'fault', fault: 'an id is too long' };
    const message = this.#edits.length === 0 ? this.#message : splice(this.#message, this.#edits);
    return { kind, message };
  }

  #value(label: string): FoundValue | undefined {
    return this.#found.find((candidate) => candidate.label === label);
  }

  #raw(label: string): string | null {
    const value = this.#value(label);
    return value === undefined ? null : this.#message.toString('utf8', value.start, value.end);
  }

  /** Puts the target's name in front of every string with one of the labels. */
  #prefix(...labels: readonly string[]): void {
    for (const value of this.#found) if (labels.includes(value.label)) this.#prefixValue(value);
  }

  #prefixOne(label: string): boolean {
    const value = this.#value(label);
    return value !== undefined && this.#prefixValue(value);
  }

  #prefixValue({ label, start, end }: FoundValue): boolean {
    if (stringAt(this.#message, start, end) === null) return false;
    // Tasks and elicitations have no list to be found in: their ids carry the target in every mode.
    const isUri = label === 'uri' || label === 'params uri';
    if (isUri && !this.#context.isPrefixed) return true;
    const text = namePrefix('resource', this.#context.target);
    this.#edits.push({ start: start + 1, end: start + 1, text });
    return true;
  }

  /** Whether another target is known to have the resource. */
  #isOfAnother(label: string): boolean {
    const { names, owner, target } = this.#context;
    const value = this.#value(label);
    const uri = value === undefined ? null : stringAt(this.#message, value.start, value.end);
    if (names === null || uri === null) return false;
    return (names.locate(owner, 'resource', uri)?.target ?? target) !== target;
  }

  #sealOne(label: string, purpose: 'request' | 'server-token'): boolean {
    const raw = this.#raw(label);
    const value = this.#value(label);
    if (raw === null || value === undefined) return false;
    const { ids, owner, target } = this.#context;
    const sealed = ids.seal(owner, purpose, { target, raw });
    this.#isTooLong ||= sealed === null;
    this.#edits.push({ start: value.start, end: value.end, text: `"${sealed ?? ''}"` });
    return true;
  }

  #putBackToken(): boolean {
    const value = this.#value('token');
    if (value === undefined) return false;
    const token = stringAt(this.#message, value.start, value.end);
    const { ids, owner, target } = this.#context;
    const opened = token === null ? null : ids.open(owner, 'client-token', token);
    if (opened?.target !== target) return false;
    this.#edits.push({ start: value.start, end: value.end, text: opened.raw });
    return true;
  }
}
