/** A server that breaks its answers in the way that each request asks for, on plain TCP or below TLS. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Scope } from '../../harness/scope.ts';

/** Called when the head of a request has arrived; `argument` is what the request says after the name. */
export type Fault = (socket: Socket, argument: number) => void;

export interface FaultUpstream {
  readonly port: number;
  /** How many requests arrived. */
  readonly requests: number;
}

/** The field by which a request chooses: `x-fault: NAME ARGUMENT`. */
const FAULT_FIELD = /\r\nx-fault: ([^\r\n]*?) (\d+)\r\n/i;

export async function startFaultUpstream(
  scope: Scope,
  faults: ReadonlyMap<string, Fault>,
  tls?: { readonly certPem: string; readonly keyPem: string },
): Promise<FaultUpstream> {
  const sockets = new Set<Socket>();
  const connections = new Map<number, Socket>();
  let requests = 0;
  const onConnection = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    const { remotePort = 0 } = socket;
    const connection = connections.get(remotePort);
    if (connection !== undefined) connectionOf.set(socket, connection);
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)?.[1] ?? 0);
      if (received.length < end + 4 + length) return;
      const [, name = '', argument = '0'] = FAULT_FIELD.exec(received) ?? [];
      received = '';
      requests += 1;
      faults.get(name)?.(socket, Number(argument));
    });
  };
  const server =
    tls === undefined
      ? createServer(onConnection)
      : createTlsServer({ cert: tls.certPem, key: tls.keyPem }, onConnection);
  server.on('tlsClientError', () => undefined);
  server.prependListener('connection', (connection: Socket) => {
    const { remotePort = 0 } = connection;
    connections.set(remotePort, connection);
    connection.once('close', () => connections.delete(remotePort));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
  };
}

/** The TCP connection of each socket, which is another one below TLS. */
const connectionOf = new WeakMap<Socket, Socket>();

/** Ends the TCP connection by a reset, without a word of TLS. */
export function reset(socket: Socket): void {
  (connectionOf.get(socket) ?? socket).resetAndDestroy();
}

/** Writes a piece again and again, as fast as it is read, until the other side has had enough. */
export function writeForEver(socket: Socket, piece: string): void {
  const push = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', push);
  push();
}
