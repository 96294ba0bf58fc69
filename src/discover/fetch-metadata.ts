import type { Dial } from '../authenticate/fetch-key-set.ts';
import { isJsonObject, readJson, type JsonObject } from '../json/read-json.ts';
import type { AuthorizationServerPlan } from '../plan.ts';
import type { Bytes } from '../units.ts';

/** The metadata of an authorization server; that it has none; or why nobody knows, in words for the log. */
export type FetchedMetadata =
  | { readonly outcome: 'found'; readonly members: JsonObject }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'failed'; readonly problem: string };

/** Fetches metadata once. Never rejects; an aborted fetch settles soon. */
export type FetchMetadata = (
  plan: AuthorizationServerPlan,
  signal: AbortSignal,
) => Promise<FetchedMetadata>;

const maxMetadataBytes: Bytes = 256 * 1024;
const jsonLimits = { maxDepth: 16, maxValues: 20_000 };

/**
 * Makes the function that fetches the metadata of an issuer through `dial`: at the path-inserted address of RFC
 * 8414, 3.1, then at the two of OpenID Connect. Redirects are not followed; an `issuer` member that is not
 * exactly the issuer makes a document worthless (RFC 8414, 3.3).
 */
export function createFetchMetadata(dial: Dial): FetchMetadata {
  return async (plan, signal) => {
    const { host } = new URL(plan.issuer);
    let problem: string | null = null;
    for (const path of metadataPaths(plan.issuer)) {
      try {
        const answer = await dial(
          plan.target,
          { method: 'GET', path, authority: host, headers: ['accept', 'application/json'] },
          { maxBodyBytes: maxMetadataBytes, signal },
        );
        if (answer.status >= 400 && answer.status < 500) continue;
        const read = answer.status === 200 ? readMetadata(answer.body, plan.issuer) : null;
        if (typeof read === 'object' && read !== null) return { outcome: 'found', members: read };
        problem = read ?? `the answer has status ${answer.status}`;
      } catch (error) {
        const why = error instanceof Error ? error.message : 'unknown error';
        return { outcome: 'failed', problem: `the fetch failed: ${why}` };
      }
    }
    return problem === null ? { outcome: 'absent' } : { outcome: 'failed', problem };
  };
}

/** Where an issuer's metadata may be, in the order in which to ask; each path once. */
export function metadataPaths(issuer: string): readonly string[] {
  const path = new URL(issuer).pathname.replace(/\/$/, '');
  return [
    ...new Set([
      `/.well-known/oauth-authorization-server${path}`,
      `/.well-known/openid-configuration${path}`,
      `${path}/.well-known/openid-configuration`,
    ]),
  ];
}

function readMetadata(body: Uint8Array, issuer: string): JsonObject | string {
  if (body.length > maxMetadataBytes) return 'the answer is too large';
  const { value, problem } = readJson(body, jsonLimits);
  if (problem !== null) return `the answer is ${problem}`;
  if (!isJsonObject(value)) return 'the answer is no JSON object';
  if (value.issuer !== issuer) return 'the answer is of another issuer';
  return value;
}
