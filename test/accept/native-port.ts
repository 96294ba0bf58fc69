/** The real native server on a port of its own, with the accept stage before a script. */
import './native-environment.ts';
import { connect as connectTcp } from 'node:net';
import { createAccept, type AcceptOptions } from '../../src/accept/accept.ts';
import { listen, type ListeningSocket, type ServerCertificate } from '../../src/accept/listener.ts';
import type { Exchange } from '../../src/exchange.ts';
import { freePort } from '../harness/free-port.ts';
import type { Scope } from '../harness/scope.ts';

export interface NativePort {
  readonly port: number;
  readonly socket: ListeningSocket;
  readonly started: Exchange[];
  readonly finished: Exchange[];
  /** Open connections as the listener counts them. */
  readonly connections: () => number;
  /** What to do with exchanges from now on. */
  run: (exchange: Exchange) => void;
  closing: boolean;
}

export interface NativePortOptions {
  readonly address?: string;
  readonly certificates?: readonly ServerCertificate[];
  readonly limits?: Partial<AcceptOptions['limits']>;
}

export async function openNativePort(
  scope: Scope,
  run: (exchange: Exchange) => void = answerWith('ok'),
  options: NativePortOptions = {},
): Promise<NativePort> {
  const port = await freePort();
  let connections = 0;
  const onRequest = createAccept({
    scheme: options.certificates === undefined ? 'http' : 'https',
    limits: {
      maxHeaderFields: 50,
      maxBodyBytes: 2_000_000,
      maxHeaderBytes: 65_536,
      maxTargetBytes: 1000,
      ...options.limits,
    },
    listeners: () => ({ find: () => null }),
    clock: Date.now,
    monotonicNow: () => performance.now(),
    closing: () => opened.closing,
    run: (exchange) => opened.run(exchange),
    onStarted: (exchange) => opened.started.push(exchange),
    onFinished: (exchange) => opened.finished.push(exchange),
  });
  const socket = listen({
    address: options.address ?? '127.0.0.1',
    port,
    certificates: options.certificates ?? null,
    onRequest,
    onConnections(change) {
      connections += change;
      return true;
    },
  });
  const opened: NativePort = {
    port,
    socket,
    started: [],
    finished: [],
    connections: () => connections,
    run,
    closing: false,
  };
  scope.after(() => socket.closeAll());
  return opened;
}

/** Answers every request with this text. */
export function answerWith(text: string): (exchange: Exchange) => void {
  return ({ responder }) => responder.send(200, ['content-type', 'text/plain'], text);
}

/**
 * Writes octets and returns all that comes back until the other side closes or `enough` is true of it.
 */
export function talk(
  port: number,
  octets: string | Uint8Array,
  enough: (received: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => socket.write(octets));
    let received = '';
    socket.setTimeout(3000, () => socket.destroy());
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      if (enough(received)) socket.destroy();
    });
    socket.once('error', () => undefined);
    socket.once('close', () => resolve(received.replace(/^Date: .*\r\n/gim, '')));
  });
}
