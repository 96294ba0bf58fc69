/**
 * What legacy clients have set in their sessions: the log level, and the resources that they are subscribed to. A
 * target that has forgotten its session is told again when that is opened anew.
 *
 * Nothing depends on it, and it is bounded: by sessions, by what one may set, by octets of all, and in time. Workers
 * tell each other, since a client's requests come to all of them. Replicas do not; the log level reaches them in the
 * session id, with clients that take a new one from any answer.
 */

import { isJsonObject, readJson } from '../../json/read-json.ts';
import type { Bytes, Milliseconds } from '../../units.ts';
import { bindingFields } from '../seal-binding.ts';
import type { InputSiblings } from './eras/input-waits.ts';
import type { FederatedCall } from './federated-call.ts';
import { isLogLevel, type LogLevel } from './session-text.ts';

/** Whose they are: a session of an owner at a backend. */
export type SessionOf = Pick<FederatedCall, 'session' | 'base'>;

export interface SessionSettings {
  /** The level that was set last; `null` where none is known. */
  logLevel(backend: string, call: SessionOf): LogLevel | null;
  setLogLevel(backend: string, call: SessionOf, level: string): void;
  /** The URIs at a target under its own names, in the order in which they came. */
  subscriptions(backend: string, call: SessionOf, target: string): readonly string[];
  subscribe(backend: string, call: SessionOf, target: string, uri: string): void;
  unsubscribe(backend: string, call: SessionOf, target: string, uri: string): void;
  forget(backend: string, call: SessionOf): void;
}

export interface SessionSettingsOptions {
  /** The other workers; `null` where there are none. */
  readonly siblings: InputSiblings | null;
  /** Milliseconds that only grow. */
  readonly monotonicNow: () => number;
}

const TOPIC = 'federation-settings';
const MAX_SESSIONS = 10_000;
/** Of one session; what it subscribes to besides is not subscribed to again. */
const MAX_SUBSCRIPTIONS = 100;
const MAX_URI_LENGTH = 2048;
const MAX_BYTES: Bytes = 32 * 1024 * 1024;
/** Without a change. */
const MAX_AGE_MS: Milliseconds = 86_400_000;
const LIMITS = Object.freeze({ maxDepth: 3, maxValues: 20 });

interface Entry {
  logLevel: LogLevel | null;
  /** `target uri` each; no name of a target has a space in it. */
  readonly subscriptions: Set<string>;
  bytes: Bytes;
  atMs: number;
}

type Change =
  | { readonly kind: 'level'; readonly level: string; readonly generation: number }
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly what: string }
  | { readonly kind: 'forget' };

export function createSessionSettings({
  siblings,
  monotonicNow,
}: SessionSettingsOptions): SessionSettings {
  /** The one that was not changed for the longest time comes first. */
  const entries = new Map<string, Entry>();
  let bytes = 0;

  function drop(key: string): void {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  }

  function find(key: string): Entry | null {
    const entry = entries.get(key);
    return entry === undefined || monotonicNow() - entry.atMs >= MAX_AGE_MS ? null : entry;
  }

  function apply(key: string, change: Change): void {
    const entry = find(key) ?? {
      logLevel: null,
      subscriptions: new Set<string>(),
      bytes: 0,
      atMs: 0,
    };
    drop(key);
    if (change.kind === 'forget') return;
    if (change.kind === 'level') {
      const { level, generation } = change;
      if (generation > (entry.logLevel?.generation ?? 0)) entry.logLevel = { level, generation };
    } else if (change.kind === 'unsubscribe') {
      entry.subscriptions.delete(change.what);
    } else if (entry.subscriptions.size < MAX_SUBSCRIPTIONS) {
      entry.subscriptions.add(change.what);
    }
    entry.atMs = monotonicNow();
    entry.bytes = 2 * key.length + 200;
    for (const what of entry.subscriptions) entry.bytes += 2 * what.length;
    bytes += entry.bytes;
    entries.set(key, entry);
    for (const [oldest, { atMs }] of entries) {
      const isTooOld = monotonicNow() - atMs >= MAX_AGE_MS;
      if (!isTooOld && entries.size <= MAX_SESSIONS && bytes <= MAX_BYTES) break;
      drop(oldest);
    }
  }

  function change(backend: string, call: SessionOf, what: Change): void {
    const key = keyOf(backend, call);
    if (key === null) return;
    apply(key, what);
    siblings?.send(null, TOPIC, JSON.stringify({ key, ...what }));
  }

  siblings?.on(TOPIC, (_from, payload) => {
    const { value } = readJson(Buffer.from(payload), LIMITS);
    if (!isJsonObject(value)) return;
    const { key, kind, level, generation, what } = value;
    if (typeof key !== 'string') return;
    if (kind === 'forget') apply(key, { kind });
    else if (kind === 'level' && isLogLevel(level) && typeof generation === 'number') {
      apply(key, { kind, level, generation });
    } else if ((kind === 'subscribe' || kind === 'unsubscribe') && typeof what === 'string') {
      apply(key, { kind, what });
    }
  });

  function entryOf(backend: string, call: SessionOf): Entry | null {
    const key = keyOf(backend, call);
    return key === null ? null : find(key);
  }

  function logLevel(backend: string, call: SessionOf): LogLevel | null {
    const known = entryOf(backend, call)?.logLevel ?? null;
    const held = call.session?.logLevel ?? null;
    return (known?.generation ?? 0) > (held?.generation ?? 0) ? known : held;
  }

  return {
    logLevel,
    setLogLevel(backend, call, level) {
      if (!isLogLevel(level)) return;
      const generation = (logLevel(backend, call)?.generation ?? 0) + 1;
      change(backend, call, { kind: 'level', level, generation });
    },
    subscriptions(backend, call, target) {
      const start = `${target} `;
      return [...(entryOf(backend, call)?.subscriptions ?? [])]
        .filter((what) => what.startsWith(start))
        .map((what) => what.slice(start.length));
    },
    subscribe(backend, call, target, uri) {
      if (uri.length > MAX_URI_LENGTH) return;
      change(backend, call, { kind: 'subscribe', what: `${target} ${uri}` });
    },
    unsubscribe(backend, call, target, uri) {
      change(backend, call, { kind: 'unsubscribe', what: `${target} ${uri}` });
    },
    forget: (backend, call) => change(backend, call, { kind: 'forget' }),
  };
}

/** The session's own key is random, and stands in what was sealed for its owner; the owner belongs to it all the same. */
function keyOf(backend: string, { session, base }: SessionOf): string | null {
  if (session === null) return null;
  return JSON.stringify([...bindingFields({ owner: base.owner, backend }), session.key]);
}
