/** Targets in memory, whose every word is the test's, and a federation of them. */
import type { HeaderFields } from '../../../src/accept/request-head.ts';
import { headerValue } from '../../../src/accept/request-head.ts';
import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../../../src/forward/upstream.ts';
import {
  createFederation,
  type Federation,
  type FederationOptions,
} from '../../../src/mcp/federation/federation.ts';
import { createFederationMemory } from '../../../src/mcp/federation/federation-memory.ts';
import type { LocatedObject } from '../../../src/mcp/federation/names.ts';
import { readMessage } from '../../../src/mcp/read-message.ts';
import type { SealOwner } from '../../../src/mcp/seal-binding.ts';
import { createSealer } from '../../../src/mcp/seal.ts';

export const alice: SealOwner = { kind: 'subject', issuer: 'i', subject: 'alice' };
export const bob: SealOwner = { kind: 'subject', issuer: 'i', subject: 'bob' };

export interface Asked {
  readonly method: string;
  readonly session: string | undefined;
  readonly headers: HeaderFields;
  readonly text: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly answer: UpstreamAnswer;
  isAborted: boolean;
}

export type Script = (asked: Asked) => void;

export interface FakeTarget {
  readonly upstream: Upstream;
  readonly asked: Asked[];
  script: Script;
}

export function json(asked: Asked, value: unknown, status = 200, headers: HeaderFields = []): void {
  asked.answer.onHead(status, ['content-type', 'application/json', ...headers]);
  asked.answer.onData(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
  asked.answer.onEnd();
}

export function events(asked: Asked, ...messages: readonly unknown[]): void {
  asked.answer.onHead(200, ['content-type', 'text/event-stream']);
  for (const message of messages) {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    asked.answer.onData(Buffer.from(`id: 1\nevent: message\ndata: ${text}\n\n`));
  }
}

/** Answers as a legacy server with sessions; `more` answers the other methods. */
export function legacyServer(name: string, more: Script = () => undefined): Script {
  let sessions = 0;
  return (asked) => {
    const { id, method } = asked.message;
    if (method === 'initialize') {
      sessions += 1;
      const capabilities = { tools: {}, logging: {}, resources: { subscribe: true } };
      const result = { protocolVersion: '2025-06-18', capabilities, serverInfo: { name } };
      json(asked, { jsonrpc: '2.0', id, result }, 200, [
        'mcp-session-id',
        `${name}-session-${sessions}`,
      ]);
    } else if (method !== undefined && id === undefined) {
      asked.answer.onHead(202, []);
      asked.answer.onEnd();
      more(asked);
    } else {
      more(asked);
    }
  };
}

export function fakeTarget(name: string, script: Script = legacyServer(name)): FakeTarget {
  const asked: Asked[] = [];
  const target: FakeTarget = {
    asked,
    script,
    upstream: {
      backendName: 'default/b',
      targetName: name,
      path: `/${name}`,
      authority: `${name}.test`,
      request(request: UpstreamRequest, answer: UpstreamAnswer) {
        const text = request.body?.toString() ?? '';
        const one: Asked = {
          method: request.method,
          session: headerValue(request.headers, 'mcp-session-id'),
          headers: request.headers,
          text,
          message: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
          answer,
          isAborted: false,
        };
        asked.push(one);
        setImmediate(() => target.script(one));
        return { abort: () => (one.isAborted = true), resume: () => undefined };
      },
      close: () => undefined,
    },
  };
  return target;
}

export interface Answered {
  status: number;
  headers: HeaderFields;
  text: string;
  failure: string | null;
  isOver: boolean;
}

export interface FakeFederation {
  readonly federation: Federation;
  readonly notes: string[];
  readonly reinitialised: string[];
  readonly failed: string[];
  /** Starts a request and gives what has come so far. */
  start(message: unknown, more?: Partial<Sent>): { answered: Answered; abort: () => void };
  /** Waits for the whole answer. */
  send(message: unknown, more?: Partial<Sent>): Promise<Answered>;
  /** Opens a session and returns what its id holds. */
  open(owner?: SealOwner): Promise<string>;
}

export interface Sent {
  readonly owner: SealOwner;
  readonly session: string | null;
  readonly method: string;
  readonly maySubscribe: (at: LocatedObject) => boolean;
}

export function federate(
  targets: readonly FakeTarget[],
  options: Partial<FederationOptions> = {},
): FakeFederation {
  const notes: string[] = [];
  const reinitialised: string[] = [];
  const failed: string[] = [];
  const federation = createFederation({
    backend: 'default/b',
    version: '1',
    targets: targets.map(({ upstream }) => upstream),
    isPrefixed: true,
    failureMode: 'FailClosed',
    timeoutMs: 2000,
    sealer: createSealer({
      keys: [Buffer.alloc(32, 7)],
      clock: () => 1_000_000,
      lifetimeMs: 1e9,
    }),
    memory: createFederationMemory(null, () => performance.now()),
    monotonicNow: () => performance.now(),
    onReinitialised: (_backend, target) => reinitialised.push(target),
    onTargetFailed: (_backend, target) => failed.push(target),
    onTools: () => undefined,
    onBug: (_where, error) => {
      throw error;
    },
    ...options,
  });

  function start(message: unknown, more: Partial<Sent> = {}) {
    const { owner = alice, session = null, method = 'POST', maySubscribe = () => true } = more;
    const body =
      message === null
        ? null
        : Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
    const read = body === null ? null : readMessage(body);
    if (read?.kind === 'fault') throw new Error(read.message);
    const answered: Answered = { status: 0, headers: [], text: '', failure: null, isOver: false };
    const upstream = federation.upstreamFor({
      owner,
      message: read,
      sessionText: session,
      locate: (kind, name) => federation.locate(owner, kind, name),
      maySubscribe,
      note: (text) => notes.push(text),
    });
    const call = upstream.request(
      { method, path: '/', headers: ['host', '', 'x-kept', '1'], body, owner, hasTimeout: false },
      {
        onHead(status, headers) {
          answered.status = status;
          answered.headers = headers;
        },
        onData(piece) {
          answered.text += Buffer.from(piece).toString();
          return true;
        },
        onEnd: () => (answered.isOver = true),
        onFailure(code) {
          answered.failure = code;
          answered.isOver = true;
        },
      },
    );
    return { answered, abort: () => call.abort() };
  }

  async function send(message: unknown, more: Partial<Sent> = {}): Promise<Answered> {
    const { answered } = start(message, more);
    await settled(() => answered.isOver);
    return answered;
  }

  return {
    federation,
    notes,
    reinitialised,
    failed,
    start,
    send,
    async open(owner = alice) {
      const params = { protocolVersion: '2025-11-25', capabilities: { roots: {} }, clientInfo: {} };
      const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params };
      const { headers } = await send(initialize, { owner });
      return headerValue(headers, 'mcp-session-id') ?? '';
    },
  };
}

/** Waits until something is so; everything here happens within a few turns of the event loop. */
export async function settled(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('it did not happen');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The messages of an event stream. */
export function messagesOf(text: string): readonly Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>);
}
