import type { CertificatePlan } from '../../plan.ts';
import type { Listener } from '../kinds/gateway.ts';
import { secretEntry } from '../kinds/secret.ts';
import type { FieldPath } from '../problem.ts';
import type { Fault } from '../report.ts';
import type { Resource } from '../resource.ts';
import { checkServerCertificate } from './certificates.ts';
import type { LinkContext } from './context.ts';
import { requireGrant } from './grants.ts';
import { notFound } from './not-found.ts';

const maxEntryBytes = 1024 * 1024;

/**
 * Finds and checks the certificate of an HTTPS listener: one Secret of type kubernetes.io/tls, in the
 * Gateway's namespace or granted, whose `tls.crt` and `tls.key` belong together. Problems of the content
 * are reported on the Secret, those of the reference on the Gateway. An expired certificate, and one that
 * does not cover the listener's hostname, is a warning.
 */
export function linkCertificate(
  context: LinkContext,
  gateway: Resource<'Gateway'>,
  listener: Listener,
  path: FieldPath,
): CertificatePlan | null {
  const { report, resources } = context;
  const fault: Fault = {
    type: 'ResolvedRefs',
    reason: 'InvalidCertificateRef',
    about: listener.name,
  };
  const refs = listener.tls?.certificateRefs ?? [];
  const [ref] = refs;
  if (ref === undefined) return null;
  const refPath = [...path, 'tls', 'certificateRefs', 0];
  if (refs.length > 1) {
    report.error(
      gateway,
      [...path, 'tls', 'certificateRefs', 1],
      'a listener has one certificate; add a listener with a hostname for each further one',
      fault,
    );
    return null;
  }
  if ((ref.group ?? '') !== '' || (ref.kind ?? 'Secret') !== 'Secret') {
    report.error(
      gateway,
      [...refPath, 'kind'],
      'a certificateRef names a Secret of the core group',
      fault,
    );
    return null;
  }

  const namespace = ref.namespace ?? gateway.namespace;
  const target = { group: '', kind: 'Secret', namespace, name: ref.name };
  if (!requireGrant(context, gateway, target, refPath, listener.name)) return null;
  const secret = resources.find('Secret', namespace, ref.name);
  if (secret === undefined) {
    if (!resources.isBroken('Secret', namespace, ref.name)) {
      report.error(
        gateway,
        [...refPath, 'name'],
        notFound(resources, 'Secret', namespace, ref.name),
        fault,
      );
    }
    return null;
  }
  const plan = readSecret(context, secret, listener.hostname ?? null);
  if (plan === null) {
    report.error(
      gateway,
      [...refPath, 'name'],
      `Secret ${namespace}/${ref.name} can't be used: see the problems of the Secret`,
      fault,
    );
  }
  return plan;
}

function readSecret(
  { report, nowMs }: LinkContext,
  secret: Resource<'Secret'>,
  hostname: string | null,
): CertificatePlan | null {
  if (secret.spec.type !== 'kubernetes.io/tls') {
    report.error(
      secret,
      ['type'],
      `a listener's certificate needs type kubernetes.io/tls; the type is ${secret.spec.type ?? 'Opaque'}`,
    );
    return null;
  }
  const chain = pemEntry(secret, 'tls.crt');
  const key = pemEntry(secret, 'tls.key');
  if (chain === undefined || key === undefined) {
    report.error(
      secret,
      ['data'],
      'the entries tls.crt and tls.key are needed, at most 1 MiB each',
    );
    return null;
  }

  const checked = checkServerCertificate(chain, key, nowMs);
  const problems = [
    ['tls.crt', checked.certificateProblem],
    ['tls.key', checked.keyProblem],
  ] as const;
  for (const [entry, problem] of problems) {
    if (problem !== null) report.error(secret, entryPath(secret, entry), problem);
  }
  for (const warning of checked.warnings) {
    report.warning(secret, entryPath(secret, 'tls.crt'), warning);
  }
  if (checked.certificateProblem !== null || checked.keyProblem !== null) return null;
  // A wildcard listener is probed with some name below it.
  if (hostname !== null && checked.leaf?.checkHost(hostname.replace(/^\*\./, 'x.')) === undefined) {
    report.warning(
      secret,
      entryPath(secret, 'tls.crt'),
      `the certificate is not valid for the listener's hostname ${hostname}`,
    );
  }
  return {
    secret: `${secret.namespace}/${secret.name}`,
    certificateChainPem: chain,
    privateKeyPem: key,
  };
}

function pemEntry({ spec }: Resource<'Secret'>, name: string): string | undefined {
  const octets = secretEntry(spec, name);
  if (octets === undefined || octets.length > maxEntryBytes) return undefined;
  return octets.toString('utf8');
}

function entryPath({ spec }: Resource<'Secret'>, name: string): FieldPath {
  const inPlainText = spec.stringData !== undefined && Object.hasOwn(spec.stringData, name);
  return [inPlainText ? 'stringData' : 'data', name];
}
