import type { FieldPath } from '../problem.ts';
import type { Origin } from '../resource.ts';

/** Names of header fields whose values are credentials by custom. Lower case. */
const credentialName =
  /^(?:cookie|set-cookie)$|auth|key|token|secret|password|credential|signature/;

/** Whether a header field's value is never to be shown, going by its name. Lower case. */
export function isCredentialHeader(name: string): boolean {
  return credentialName.test(name);
}

/** Whether a header value in a resource came from the environment, or is a credential by its name. */
export function isSecretValue(origin: Origin, name: string, path: FieldPath): boolean {
  return isCredentialHeader(name) || isFromEnvironment(origin, path);
}

/** Whether a field of a resource holds something from the environment. */
export function isFromEnvironment(origin: Origin, path: FieldPath): boolean {
  return origin.substituted.some((secret) => isWithin(path, secret));
}

function isWithin(path: FieldPath, outer: FieldPath): boolean {
  return outer.length <= path.length && outer.every((step, index) => step === path[index]);
}
