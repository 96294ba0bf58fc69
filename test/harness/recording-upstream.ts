/**
 * An upstream that trusts nobody: it keeps every octet of every connection, takes them apart by the letter of
 * RFC 9112, and says where they are not what one client may send.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Scope } from './scope.ts';

export interface RecordedRequest {
  /** The first line. */
  readonly line: string;
  readonly method: string;
  readonly target: string;
  /** Header lines as they came. */
  readonly lines: readonly string[];
  readonly body: string;
}

export interface RecordingUpstream {
  readonly port: number;
  readonly requests: RecordedRequest[];
  /** What was wrong with what came in. */
  readonly faults: string[];
  /** Octets that no request accounts for, over all connections. */
  residue(): string;
  clear(): void;
}

const ANSWER_BODY = '{"jsonrpc":"2.0","id":1,"result":{}}';
const ANSWER = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${ANSWER_BODY.length}\r\n\r\n${ANSWER_BODY}`;

export async function startRecordingUpstream(scope: Scope): Promise<RecordingUpstream> {
  const requests: RecordedRequest[] = [];
  const faults: string[] = [];
  const pending = new Map<Socket, string>();
  const server = createServer((socket) => {
    pending.set(socket, '');
    socket.setEncoding('latin1');
    socket.on('error', () => undefined);
    socket.once('close', () => {
      if (pending.get(socket) === '') pending.delete(socket);
    });
    socket.on('data', (text: string) => {
      let rest = (pending.get(socket) ?? '') + text;
      for (;;) {
        const taken = takeRequest(rest, faults);
        if (taken === null) break;
        requests.push(taken.request);
        rest = taken.rest;
        socket.write(ANSWER);
      }
      pending.set(socket, rest);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(() => {
    for (const socket of pending.keys()) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    faults,
    residue: () => [...pending.values()].join(''),
    clear() {
      requests.length = 0;
      faults.length = 0;
      for (const socket of pending.keys()) pending.set(socket, '');
    },
  };
}

function takeRequest(text: string, faults: string[]) {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const [, method = '', target = ''] = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(line) ?? [];
  if (method === '') faults.push(`request line ${JSON.stringify(line)}`);
  for (const field of lines) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+: ?[\t\x20-\x7e\x80-\xff]*$/.test(field)) {
      faults.push(`field ${JSON.stringify(field)}`);
    }
  }
  const values = (name: string): readonly string[] =>
    lines
      .filter((field) => field.toLowerCase().startsWith(`${name}:`))
      .map((field) => field.slice(name.length + 1).trim());
  const lengths = values('content-length');
  const codings = values('transfer-encoding');
  if (lengths.length + codings.length > 1) faults.push('framed twice');
  if (values('host').length !== 1) faults.push('not one Host');
  if (codings.length > 0) faults.push('a transfer coding: the gate frames by length');
  const length = Number(lengths[0] ?? 0);
  if (text.length < end + 4 + length) return null;
  const body = text.slice(end + 4, end + 4 + length);
  return { request: { line, method, target, lines, body }, rest: text.slice(end + 4 + length) };
}
