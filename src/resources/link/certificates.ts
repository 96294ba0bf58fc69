import { createPrivateKey, X509Certificate } from 'node:crypto';

import type { EpochMilliseconds } from '../../units.ts';

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export type Certificates =
  | { readonly certificates: readonly X509Certificate[]; readonly problem: null }
  | { readonly certificates: null; readonly problem: string };

/**
 * Reads one or more PEM certificates (RFC 7468), such as a CA bundle or a server's chain.
 *
 * @returns all of them, or what is wrong: no certificate at all, or one that does not parse
 */
export function readCertificates(pem: string): Certificates {
  const blocks = pem.match(certificateBlock) ?? [];
  const begun = pem.split('-----BEGIN CERTIFICATE-----').length - 1;
  if (begun === 0) return { certificates: null, problem: 'there is no PEM certificate in it' };
  if (blocks.length !== begun) {
    return { certificates: null, problem: 'a PEM certificate in it has no end' };
  }

  const certificates: X509Certificate[] = [];
  for (const [index, block] of blocks.entries()) {
    try {
      certificates.push(new X509Certificate(block));
    } catch {
      return {
        certificates: null,
        problem: `certificate ${index + 1} of ${blocks.length} does not parse`,
      };
    }
  }
  return { certificates, problem: null };
}

/**
 * Says which of the certificates are outside their time of validity (RFC 5280, 4.1.2.5).
 *
 * @returns one sentence per certificate that has expired or is not valid yet
 */
export function validityWarnings(
  certificates: readonly X509Certificate[],
  nowMs: EpochMilliseconds,
): readonly string[] {
  const warnings: string[] = [];
  for (const certificate of certificates) {
    const fromMs = Date.parse(certificate.validFrom);
    const toMs = Date.parse(certificate.validTo);
    if (nowMs > toMs) {
      warnings.push(`the certificate has expired on ${new Date(toMs).toISOString()}`);
    } else if (nowMs < fromMs) {
      warnings.push(`the certificate is valid only from ${new Date(fromMs).toISOString()}`);
    }
  }
  return warnings;
}

export interface ServerCertificate {
  readonly certificateProblem: string | null;
  readonly keyProblem: string | null;
  readonly warnings: readonly string[];
  /** The server's own certificate, the first of the chain. */
  readonly leaf: X509Certificate | null;
}

/**
 * Checks a server's certificate chain and its private key: both must parse, and the key must be that
 * of the first certificate.
 *
 * @param certificateChainPem the server's certificate first, then those that signed it
 * @param privateKeyPem not encrypted
 * @returns what is wrong with either; messages never hold any of the key
 */
export function checkServerCertificate(
  certificateChainPem: string,
  privateKeyPem: string,
  nowMs: EpochMilliseconds,
): ServerCertificate {
  const chain = readCertificates(certificateChainPem);
  const leaf = chain.certificates?.[0] ?? null;
  const warnings = chain.certificates === null ? [] : validityWarnings(chain.certificates, nowMs);
  return {
    certificateProblem: chain.problem,
    keyProblem: keyProblem(privateKeyPem, leaf),
    warnings,
    leaf,
  };
}

function keyProblem(privateKeyPem: string, leaf: X509Certificate | null): string | null {
  try {
    const key = createPrivateKey(privateKeyPem);
    if (leaf !== null && !leaf.checkPrivateKey(key)) {
      return 'the private key does not belong to the certificate';
    }
    return null;
  } catch {
    return 'it is not a PEM private key, or it is encrypted';
  }
}
