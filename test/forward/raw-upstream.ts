/** An upstream that is nothing but a socket: what it writes is what the test says, octet by octet. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TargetPlan, TlsPlan } from '../../src/plan.ts';
import type { UpstreamLimits } from '../../src/forward/upstream-limits.ts';
import type { Upstream, UpstreamRequest } from '../../src/forward/upstream.ts';
import type { Scope } from '../harness/scope.ts';

export interface RawUpstream {
  readonly port: number;
  readonly sockets: readonly Socket[];
  /** The requests that arrived so far. */
  readonly heads: readonly string[];
}

/** @param script called when the head of a request has arrived, with its text */
export async function startRawUpstream(
  scope: Scope,
  script: (socket: Socket, head: string) => void,
): Promise<RawUpstream> {
  const sockets: Socket[] = [];
  const heads: string[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      if (!received.includes('\r\n\r\n')) return;
      const head = received;
      received = '';
      heads.push(head);
      script(socket, head);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets, heads };
}

export function targetAt(port: number, changes: Partial<TargetPlan> = {}): TargetPlan {
  return {
    name: 'target',
    host: '127.0.0.1',
    port,
    path: '/mcp',
    protocol: 'StreamableHTTP',
    tls: null,
    ...changes,
  };
}

export function tlsPlan(changes: Partial<TlsPlan>): TlsPlan {
  return {
    policy: 'BackendTLSPolicy/default/tls',
    serverName: 'right.test',
    caCertificatesPem: null,
    subjectAltNames: [],
    invalid: null,
    ...changes,
  };
}

const limits: UpstreamLimits = {
  maxConnections: 10,
  connectTimeoutMs: 1000,
  headersTimeoutMs: 10_000,
  idleTimeoutMs: 1000,
  maxAgeMs: 0,
  maxHeaderBytes: 16_384,
};

export type CreateUpstream = (
  backendName: string,
  target: TargetPlan,
  limits: UpstreamLimits,
) => Upstream;

export function upstreamTo(
  scope: Scope,
  create: CreateUpstream,
  target: TargetPlan,
  changes: Partial<UpstreamLimits> = {},
): Upstream {
  const upstream = create('default/backend', target, { ...limits, ...changes });
  scope.after(() => upstream.close());
  return upstream;
}

/** What an upstream reported, in order: `head 200`, `data …`, `end`, `failure CODE`. */
export interface Report {
  readonly events: string[];
  readonly headers: string[];
  body: string;
  detail: string;
  abort(): void;
  resume(): void;
  /** Resolves at the first end or failure, or `settleMs` later if there is none. */
  readonly over: Promise<void>;
}

export const get: UpstreamRequest = {
  method: 'GET',
  path: '/mcp',
  headers: ['host', 'up.test'],
  body: null,
  owner: { kind: 'anonymous' },
  hasTimeout: false,
};

export const post: UpstreamRequest = { ...get, method: 'POST', body: Buffer.from('{"a":1}') };

/** @param takes what `onData` returns */
export function send(upstream: Upstream, request: UpstreamRequest, takes = true): Report {
  const events: string[] = [];
  const headers: string[] = [];
  let last: Uint8Array | null = null;
  let settle: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (settle = resolve));
  const report = { events, headers, body: '', detail: '', over };
  const call = upstream.request(request, {
    onHead(status, fields) {
      events.push(`head ${status}`);
      headers.push(...fields);
    },
    onData(piece, isLast = false) {
      // What is said to be the last piece is read as late as may be: its memory must last until then.
      if (isLast) last = piece;
      else report.body += Buffer.from(piece).toString('latin1');
      return takes;
    },
    onEnd() {
      if (last !== null) report.body += Buffer.from(last).toString('latin1');
      events.push('end');
      settle();
    },
    onFailure(code, detail) {
      events.push(`failure ${code}`);
      report.detail = detail;
      settle();
    },
  });
  return Object.assign(report, { abort: () => call.abort(), resume: () => call.resume() });
}
