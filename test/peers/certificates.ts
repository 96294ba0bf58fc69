/** Certificates made on the spot, in JavaScript alone: a test needs no openssl. */
import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface CertificatePair {
  /** The certificate, PEM. */
  readonly certPem: string;
  /** The private key, PKCS #8 PEM. */
  readonly keyPem: string;
}

export interface CertificateAuthority extends CertificatePair {
  /** Issues a server certificate for these names. */
  issue(names: {
    readonly dns?: readonly string[];
    readonly ip?: readonly string[];
    readonly uri?: readonly string[];
    /** Valid until an hour ago. */
    readonly expired?: boolean;
  }): Promise<CertificatePair>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

let serialNumber = 1;

/** Creates an authority with a key of its own; valid from yesterday for a year. */
export async function createAuthority(
  commonName = 'Postern Test CA',
): Promise<CertificateAuthority> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return {
    certPem: certificate.toString('pem'),
    keyPem: await privateKeyPem(keys.privateKey),
    async issue(names) {
      const serverKeys = await generateKeys();
      const alternatives: x509.JsonGeneralNames = [
        ...(names.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
        ...(names.ip ?? []).map((value) => ({ type: 'ip' as const, value })),
        ...(names.uri ?? []).map((value) => ({ type: 'url' as const, value })),
      ];
      const issued = await x509.X509CertificateGenerator.create({
        ...validity(names.expired),
        subject: 'CN=server',
        issuer: certificate.subject,
        publicKey: serverKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.SubjectAlternativeNameExtension(alternatives),
        ],
      });
      return {
        certPem: issued.toString('pem'),
        keyPem: await privateKeyPem(serverKeys.privateKey),
      };
    },
  };
}

function validity(expired = false) {
  serialNumber += 1;
  return {
    serialNumber: serialNumber.toString(16).padStart(4, '0'),
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + (expired ? -HOUR_MS : 365 * DAY_MS)),
  };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64');
  const lines = der.match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
}
