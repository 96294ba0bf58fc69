import { isIP } from 'node:net';
import { checkServerIdentity as checkHostname, type PeerCertificate } from 'node:tls';
import type { buildConnector } from 'undici';
import type { TlsPlan } from '../plan.ts';
import type { Milliseconds } from '../units.ts';

/**
 * How to open a connection to a target: with TLS exactly where the plan has it, always verified.
 *
 * @param tls `null` for plain TCP
 * @param timeoutMs bounds name resolution, TCP and TLS together
 * @returns options for undici's connector
 */
export function connectOptions(
  tls: TlsPlan | null,
  timeoutMs: Milliseconds,
): buildConnector.BuildOptions {
  if (tls === null) return { timeout: timeoutMs, keepAlive: true };
  return {
    timeout: timeoutMs,
    keepAlive: true,
    allowH2: false,
    servername: sentServerName(tls),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(tls.caCertificatesPem === null ? {} : { ca: tls.caCertificatesPem }),
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      checkIdentity(tls, certificate),
  };
}

/**
 * The name sent as SNI.
 *
 * @returns the empty string for an IP address, which is never sent (RFC 6066, 3)
 */
export function sentServerName({ serverName }: Pick<TlsPlan, 'serverName'>): string {
  return isIP(serverName) === 0 ? serverName : '';
}

/**
 * Checks whose certificate it is: the policy's subjectAltNames where it has some, any of which will do,
 * else its hostname (BackendTLSPolicy, validation).
 *
 * @returns an error, or `undefined` when the certificate is the right one
 */
export function checkIdentity(
  tls: Pick<TlsPlan, 'serverName' | 'subjectAltNames'>,
  certificate: PeerCertificate,
): Error | undefined {
  if (tls.subjectAltNames.length === 0) return checkHostname(tls.serverName, certificate);
  const accepted = tls.subjectAltNames.some(({ type, value }) =>
    type === 'URI'
      ? certificateUris(certificate).includes(value)
      : checkHostname(value, certificate) === undefined,
  );
  if (accepted) return undefined;
  return Object.assign(new Error('the certificate has none of the expected subjectAltNames'), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
}

/** One entry of subjectAltName and the comma after it; Node quotes a value that holds a comma or a quote. */
const ALT_NAME = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/gy;

/** The URI entries of subjectAltName, read entry by entry, so that none can hide in the value of another. */
function certificateUris(certificate: PeerCertificate): string[] {
  const names = certificate.subjectaltname ?? '';
  return [...names.matchAll(ALT_NAME)]
    .filter(([, type]) => type === 'URI')
    .map(([, , value = '']) => (value.startsWith('"') ? String(JSON.parse(value)) : value));
}
