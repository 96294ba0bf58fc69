import { connect, type Socket } from 'node:net';
import type { LoadRequest } from './request.ts';

/** One open answer of an event stream. */
export interface RawStream {
  /** Octets of the answer so far, its head included. */
  readonly receivedBytes: number;
  readonly hasEnded: boolean;
  close(): void;
}

/**
 * Sends one request and reads its answer without a look at it.
 *
 * @returns when the first octets have come
 * @throws Error when the connection fails, or the answer is not 200
 */
export async function openRawStream(port: number, request: LoadRequest): Promise<RawStream> {
  const [token] = request.tokens;
  const fields = Object.entries({
    host: '127.0.0.1',
    ...request.headers,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(request.method === 'POST' ? { 'content-length': String(request.body.length) } : {}),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const state = { receivedBytes: 0, hasEnded: false };
  const socket: Socket = connect({ port, host: '127.0.0.1' });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => {
      state.hasEnded = true;
      reject(new Error('closed before an answer'));
    });
    socket.once('connect', () =>
      socket.write(
        `${request.method} ${request.path} HTTP/1.1\r\n${fields.join('')}\r\n${request.body}`,
      ),
    );
    socket.on('data', (piece) => {
      if (state.receivedBytes === 0) {
        const line = piece.toString('latin1', 0, 15);
        if (line.startsWith('HTTP/1.1 200')) resolve();
        else reject(new Error(line));
      }
      state.receivedBytes += piece.length;
      // The chunk of no length that ends the answer.
      if (piece.length >= 5 && piece.toString('latin1', piece.length - 5) === '0\r\n\r\n') {
        state.hasEnded = true;
        socket.destroy();
      }
    });
  });
  socket.on('error', () => undefined);
  return {
    get receivedBytes() {
      return state.receivedBytes;
    },
    get hasEnded() {
      return state.hasEnded;
    },
    close: () => socket.destroy(),
  };
}
