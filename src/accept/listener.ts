/**
 * The sockets: the only file that knows the native server.
 */

import { createSecureContext } from 'node:tls';
import uws, { type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import type { CertificatePlan } from '../plan.ts';
import type { NativeRequest, NativeResponse } from './native.ts';
import { withSecretFiles } from './secret-files.ts';

// The server's own name in every answer would tell an attacker which parser he is facing.
(uws as unknown as { _cfg(option: string): void })._cfg('silent');

/** The native server can't hold server names of more labels. */
const MAX_LABELS = 10;

/** At most this many spellings of names with capitals get a TLS context (40 KiB) on one socket. */
const MAX_SPELLINGS = 100;

/** A host name that TLS clients may ask for (RFC 6066, 3), with the certificate they get. */
export interface ServerCertificate {
  /** Exact name or `*.suffix`; `null` for clients that name no host, or one that nothing else matches. */
  readonly hostname: string | null;
  readonly certificate: CertificatePlan;
}

/**
 * Called for each request.
 *
 * @param serverName the `hostname` of the {@link ServerCertificate} that the connection was opened with;
 *   `null` on plain HTTP and where the default certificate was used
 */
export type RequestHandler = (
  response: NativeResponse,
  request: NativeRequest,
  serverName: string | null,
) => void;

export interface ListeningSocket {
  /** Stops accepting connections; those that are open stay. */
  stopAccepting(): void;
  /** Ends every connection at once. */
  closeAll(): void;
}

export interface ListenOptions {
  readonly address: string;
  readonly port: number;
  /** `null` for plain HTTP. */
  readonly certificates: readonly ServerCertificate[] | null;
  readonly onRequest: RequestHandler;
  /**
   * +1 for a connection that opened, -1 for one that closed.
   *
   * @returns of one that opened, whether it may stay
   */
  readonly onConnections: (change: 1 | -1) => boolean;
}

/**
 * Opens one listening socket, shared with other processes that ask for the same one (SO_REUSEPORT).
 *
 * @returns the socket
 * @throws Error when the address can't be bound or a certificate is not usable
 */
export function listen(options: ListenOptions): ListeningSocket {
  const app = createApp(options);
  app.filter((response, count) => {
    if (Number(count) < 0) options.onConnections(-1);
    // Before the TLS handshake, which is what a connection costs.
    else if (!options.onConnections(1)) (response as NativeResponse).close();
  });
  const sockets: us_listen_socket[] = [];
  app.listen(options.address, options.port, (socket) => {
    if (socket !== false) sockets.push(socket);
  });
  const [opened] = sockets;
  if (opened === undefined) {
    throw new Error(`cannot listen on ${options.address} port ${options.port}`);
  }
  let accepting = true;
  return {
    stopAccepting() {
      if (!accepting) return;
      accepting = false;
      uws.us_listen_socket_close(opened);
    },
    closeAll() {
      accepting = false;
      app.close();
    },
  };
}

function createApp({ certificates, onRequest }: ListenOptions): TemplatedApp {
  const handlerFor = (serverName: string | null) => (response: object, request: NativeRequest) =>
    onRequest(response as NativeResponse, request, serverName);
  if (certificates === null) return uws.App().any('/*', handlerFor(null));

  const byDefault = certificates.find(({ hostname }) => hostname === null);
  if (byDefault !== undefined) checkUsable(byDefault.certificate);
  const app = byDefault
    ? withSecretFiles(pemFiles(byDefault.certificate), (files) => uws.SSLApp(files))
    : uws.SSLApp({});
  app.any('/*', handlerFor(null));

  const served = new Set<string>();
  const serve = (name: string, hostname: string, certificate: CertificatePlan): void => {
    if (served.has(name)) return;
    served.add(name);
    withSecretFiles(pemFiles(certificate), (files) => app.addServerName(name, files));
    app.domain(name).any('/*', handlerFor(hostname));
  };
  for (const { hostname, certificate } of certificates) {
    if (hostname === null) continue;
    // The native server would go on without a certificate that it can't use, and without a word.
    checkUsable(certificate);
    for (const name of nativeNames(hostname)) serve(name, hostname, certificate);
  }
  serveOtherSpellings(app, certificates, serve);
  return app;
}

/** @throws Error where chain and key can't be read or don't belong together */
function checkUsable({ secret, certificateChainPem, privateKeyPem }: CertificatePlan): void {
  try {
    createSecureContext({ cert: certificateChainPem, key: privateKeyPem });
  } catch (error) {
    throw new Error(`the certificate of Secret ${secret} is not usable`, { cause: error });
  }
}

/**
 * The names under which the native server knows a hostname. A wildcard of its own stands for one label,
 * Gateway API's for one or more, so each depth it can hold gets a name.
 *
 * @throws Error where the hostname has more labels than it can hold
 */
function nativeNames(hostname: string): string[] {
  const labels = hostname.split('.').length;
  if (labels > MAX_LABELS) {
    throw new Error(`a TLS listener can't have a hostname of more than ${MAX_LABELS} labels`);
  }
  if (!hostname.startsWith('*.')) return [hostname];
  return Array.from(
    { length: MAX_LABELS - labels + 1 },
    (_, extra) => '*.'.repeat(extra) + hostname,
  );
}

/**
 * Names are compared without regard to case (RFC 6066, 3), but not by the native server: a spelling with
 * capitals is added when a client first asks for it, up to a bound.
 */
function serveOtherSpellings(
  app: TemplatedApp,
  certificates: readonly ServerCertificate[],
  serve: (name: string, hostname: string, certificate: CertificatePlan) => void,
): void {
  const byName = new Map<string, CertificatePlan>();
  for (const { hostname, certificate } of certificates) {
    if (hostname !== null && !byName.has(hostname)) byName.set(hostname, certificate);
  }
  let spellings = 0;
  app.missingServerName((asked) => {
    const name = asked.toLowerCase();
    // A name that the native server can't hold would get the default certificate under a wrong name.
    if (name === asked || name.split('.').length > MAX_LABELS || spellings >= MAX_SPELLINGS) return;
    for (const hostname of [name, ...wildcardsOver(name)]) {
      const certificate = byName.get(hostname);
      if (certificate === undefined) continue;
      spellings += 1;
      serve(asked, hostname, certificate);
      return;
    }
  });
}

/** The wildcards that cover a name, the most specific first. */
function wildcardsOver(name: string): string[] {
  const labels = name.split('.');
  return labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`);
}

function pemFiles(
  certificate: CertificatePlan,
): Record<'cert_file_name' | 'key_file_name', string> {
  return {
    cert_file_name: certificate.certificateChainPem,
    key_file_name: certificate.privateKeyPem,
  };
}
