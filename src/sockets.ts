/**
 * The listening sockets of one worker, kept in step with the plan: a socket whose port and certificates
 * stay the same is never reopened, it only gets another table of listeners.
 */

import { createAccept, type AcceptOptions } from './accept/accept.ts';
import {
  listen,
  type ListeningSocket,
  type ListenOptions,
  type ServerCertificate,
} from './accept/listener.ts';
import type { PortPlan } from './plan.ts';
import type { ListenerTable } from './route/listener-table.ts';
import { portKey } from './runtime.ts';

export interface SocketsOptions extends Omit<AcceptOptions, 'scheme' | 'listeners'> {
  /** Where ports without an address of their own listen. */
  readonly defaultAddress: string;
  readonly onConnections: ListenOptions['onConnections'];
}

export interface Sockets {
  /**
   * Opens what the ports need and does not exist yet.
   *
   * @returns the step to them, not yet taken
   * @throws Error when a socket can't be opened; nothing has changed then
   */
  prepare(ports: readonly PortPlan[]): SocketsTurn;
  /** Accepts no connections any more. */
  stopAccepting(): void;
  /** Ends all connections. */
  closeAll(): void;
}

export interface SocketsTurn {
  /** Requests from now on see these tables, by {@link portKey}; sockets of no port stop accepting. */
  commit(tables: ReadonlyMap<string, ListenerTable>): void;
  abandon(): void;
}

interface OpenPort {
  /** What a socket can't change while it is open. */
  readonly identity: string;
  readonly socket: ListeningSocket;
  table: ListenerTable;
}

const NO_LISTENERS: ListenerTable = { find: () => null };

export function createSockets(options: SocketsOptions): Sockets {
  let open = new Map<string, OpenPort>();
  /** Sockets of earlier plans: they accept nothing, but their connections live on. */
  const retired: ListeningSocket[] = [];

  function openPort(plan: PortPlan, identity: string): OpenPort {
    const port: { table: ListenerTable } = { table: NO_LISTENERS };
    const onRequest = createAccept({
      ...options,
      scheme: plan.protocol === 'HTTPS' ? 'https' : 'http',
      listeners: () => port.table,
    });
    const socket = listen({
      address: plan.address ?? options.defaultAddress,
      port: plan.port,
      certificates: certificatesOf(plan),
      onRequest,
      onConnections: options.onConnections,
    });
    return Object.assign(port, { identity, socket });
  }

  return {
    prepare(ports) {
      const next = new Map<string, OpenPort>();
      const opened: OpenPort[] = [];
      try {
        for (const plan of ports) {
          const identity = JSON.stringify([plan.protocol, certificatesOf(plan)]);
          const existing = open.get(portKey(plan));
          if (existing?.identity === identity) {
            next.set(portKey(plan), existing);
            continue;
          }
          const created = openPort(plan, identity);
          opened.push(created);
          next.set(portKey(plan), created);
        }
      } catch (error) {
        for (const { socket } of opened) socket.closeAll();
        throw error;
      }
      return {
        commit(tables) {
          const before = open;
          open = next;
          for (const [key, port] of open) port.table = tables.get(key) ?? NO_LISTENERS;
          for (const [key, port] of before) {
            if (open.get(key) === port) continue;
            port.socket.stopAccepting();
            retired.push(port.socket);
            // A port that got other certificates goes on for the connections it has; one that is
            // gone has no listeners any more.
            port.table = tables.get(key) ?? NO_LISTENERS;
          }
        },
        abandon() {
          for (const { socket } of opened) socket.closeAll();
        },
      };
    },
    stopAccepting() {
      for (const { socket } of open.values()) socket.stopAccepting();
    },
    closeAll() {
      for (const { socket } of open.values()) socket.closeAll();
      for (const socket of retired) socket.closeAll();
    },
  };
}

function certificatesOf(plan: PortPlan): ServerCertificate[] | null {
  if (plan.protocol === 'HTTP') return null;
  return plan.listeners.flatMap(({ hostname, tls }) =>
    tls === null ? [] : [{ hostname, certificate: tls }],
  );
}
