import type { FieldPath } from '../problem.ts';
import type { AnyResource } from '../resource.ts';
import { readCertificates, validityWarnings } from './certificates.ts';
import type { LinkContext } from './context.ts';
import { notFound } from './not-found.ts';

export interface CaReference {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
}

export type CaCertificates =
  | { readonly pem: string; readonly invalid: null }
  | { readonly pem: null; readonly invalid: string };

/**
 * Reads the CA certificates that a TLS policy names: ConfigMaps of its own namespace with an entry
 * `ca.crt` (Gateway API, BackendTLSPolicy). Several are concatenated.
 *
 * @returns all of them, or why the policy can't be honoured: one bad reference is enough
 */
export function linkCaCertificates(
  context: LinkContext,
  policy: AnyResource,
  refs: readonly CaReference[],
  path: FieldPath,
): CaCertificates {
  const pems: string[] = [];
  let invalid: string | null = null;
  for (const [index, ref] of refs.entries()) {
    const read = readCaCertificates(context, policy, ref, [...path, index]);
    if (read.pem === null) invalid ??= read.invalid;
    else pems.push(read.pem);
  }
  return invalid === null ? { pem: pems.join('\n'), invalid } : { pem: null, invalid };
}

function readCaCertificates(
  { resources, report, nowMs }: LinkContext,
  policy: AnyResource,
  { group = '', kind = 'ConfigMap', name }: CaReference,
  path: FieldPath,
): CaCertificates {
  const refuse = (
    at: FieldPath,
    reason: 'InvalidKind' | 'InvalidCACertificateRef',
    message: string,
  ): CaCertificates => {
    report.error(policy, at, message, { type: 'ResolvedRefs', reason });
    return { pem: null, invalid: message };
  };

  if (group !== '' || kind !== 'ConfigMap') {
    const message = `CA certificates come from a ConfigMap of the core group; a ${kind} is not supported`;
    return refuse([...path, 'kind'], 'InvalidKind', message);
  }
  const label = `ConfigMap ${policy.namespace}/${name}`;
  const configMap = resources.find('ConfigMap', policy.namespace, name);
  if (configMap === undefined) {
    const message = notFound(resources, 'ConfigMap', policy.namespace, name);
    if (resources.isBroken('ConfigMap', policy.namespace, name)) {
      return { pem: null, invalid: message };
    }
    return refuse([...path, 'name'], 'InvalidCACertificateRef', message);
  }

  const { data = {}, binaryData = {} } = configMap.spec;
  const pem = Object.hasOwn(data, 'ca.crt')
    ? data['ca.crt']
    : Object.hasOwn(binaryData, 'ca.crt')
      ? Buffer.from(binaryData['ca.crt'] ?? '', 'base64').toString('utf8')
      : undefined;
  if (pem === undefined) {
    const message = `${label} has no entry ca.crt`;
    return refuse([...path, 'name'], 'InvalidCACertificateRef', message);
  }
  const { certificates, problem } = readCertificates(pem);
  if (certificates === null) {
    const message = `the entry ca.crt of ${label} can't be used: ${problem}`;
    return refuse([...path, 'name'], 'InvalidCACertificateRef', message);
  }
  for (const warning of validityWarnings(certificates, nowMs)) {
    report.warning(policy, [...path, 'name'], `${label}: ${warning}`);
  }
  return { pem, invalid: null };
}
