import { readJwk, type PublicJwk } from './jwk.ts';
import { readPemKeys } from './pem-keys.ts';

export interface LocalKeys {
  readonly jwks: readonly PublicJwk[];
  readonly kidOptional: boolean;
  /** Any of them makes the key set unfit. */
  readonly problems: readonly string[];
  /** Keys that were skipped, and why. */
  readonly warnings: readonly string[];
}

/**
 * Reads the keys of a provider as a resource gives them: one or more PEM public keys, a JWKS or a
 * single JWK (RFC 7517). A key that can't be used is skipped with a warning as long as others can be;
 * a key without `kid`, a private key or a secret one is refused.
 *
 * @param text the value of `jwks.local.key` or `jwks.inline`
 * @returns the usable keys, and everything that is wrong; messages never hold key material
 */
export function readLocalKeys(text: string): LocalKeys {
  const trimmed = text.trim();
  if (trimmed.startsWith('-----BEGIN')) return readPemKeys(trimmed);
  return readJwksText(trimmed);
}

function readJwksText(text: string): LocalKeys {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return unfit('it is neither PEM nor JSON; give a JWKS, a JWK or a PEM public key');
  }
  if (!isObject(json)) return unfit('it is not a JWKS: a JSON object with "keys" is expected');
  if (!('keys' in json)) {
    if (!('kty' in json)) return unfit('it is neither a JWKS (with "keys") nor a JWK (with "kty")');
    return collect([['', json]]);
  }
  if (!Array.isArray(json.keys)) return unfit('"keys" must be a list of JWKs');
  if (json.keys.length === 0) return unfit('"keys" is empty; at least one key is needed');
  return collect(json.keys.map((key: unknown, index) => [`keys[${index}]: `, key]));
}

function collect(entries: readonly (readonly [place: string, key: unknown])[]): LocalKeys {
  const jwks: PublicJwk[] = [];
  const problems: string[] = [];
  const warnings: string[] = [];
  const seen = new Set<string>();

  for (const [place, entry] of entries) {
    const read = isObject(entry) ? readJwk(entry) : { refused: 'it is not a JSON object' };
    if ('refused' in read) problems.push(place + read.refused);
    else if ('unusable' in read) warnings.push(`${place}the key is skipped: ${read.unusable}`);
    else {
      const identity = JSON.stringify([read.jwk.kid, read.jwk.kty]);
      if (seen.has(identity)) warnings.push(`${place}another key has the same \`kid\` and \`kty\``);
      seen.add(identity);
      jwks.push(read.jwk);
    }
  }
  if (jwks.length === 0 && problems.length === 0) {
    return unfit(`no key in it can be used: ${warnings.join('; ')}`);
  }
  return { jwks, kidOptional: false, problems, warnings };
}

function unfit(problem: string): LocalKeys {
  return { jwks: [], kidOptional: false, problems: [problem], warnings: [] };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
