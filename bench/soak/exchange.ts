/** One request of a soak's client, and everything that came back. */
import { request, type Agent, type IncomingMessage } from 'node:http';
import type { Seen } from './ledger.ts';

export interface Ask {
  readonly port: number;
  readonly path: string;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent?: Agent | false;
  /** Reads the answer; without it, to its end. Leaves early by calling `leave`. */
  readonly onText?: (text: string, leave: () => void) => void;
  /** Leaves after this time, having read nothing. */
  readonly idleMs?: number;
}

/** An answer may take this long; streams last for less. */
const PATIENCE_MS = 60_000;

/** Never rejects: what went wrong stands in `cut`. */
export function exchange(ask: Ask): Promise<Seen> {
  const { port, path, token = null, body, agent = false } = ask;
  return new Promise((resolve) => {
    let response: IncomingMessage | null = null;
    let text = '';
    let done = false;
    const finish = (cut: string | null): void => {
      if (done) return;
      done = true;
      clearTimeout(patience);
      const headers = response?.headers ?? {};
      resolve({
        status: response?.statusCode ?? null,
        text,
        header: (name) => String(headers[name] ?? ''),
        cut,
      });
    };
    const leave = (): void => {
      finish(null);
      outgoing.destroy();
    };
    const outgoing = request({
      ...{ host: '127.0.0.1', port, path, agent },
      method: ask.method ?? 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        ...ask.headers,
      },
    });
    const patience = setTimeout(() => {
      finish('no answer in time');
      outgoing.destroy();
    }, PATIENCE_MS);
    outgoing.on('error', (error) => finish(String(error)));
    outgoing.once('response', (incoming) => {
      response = incoming;
      incoming.on('error', (error) => finish(String(error)));
      incoming.once('close', () => finish(incoming.complete ? null : 'aborted'));
      if (ask.idleMs !== undefined && incoming.statusCode === 200) {
        setTimeout(leave, ask.idleMs);
        return;
      }
      incoming.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        ask.onText?.(text, leave);
      });
      incoming.once('end', () => finish(null));
    });
    outgoing.end(body);
  });
}
