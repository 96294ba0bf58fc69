import { Refusal } from '../errors.ts';
import type { TokenSourcesPlan } from '../plan.ts';
import type { CredentialSource, TokenLocation } from './authenticator.ts';

/** The providers that read the same places: a token found there concerns them and no other. */
export interface ProviderGroup {
  /** Indexes into the policy's providers, ascending. */
  readonly providers: readonly number[];
}

interface HeaderPrefix {
  /** As configured, without its trailing spaces. */
  readonly prefix: string;
  readonly lowerCasePrefix: string;
  /** Whether the configured prefix ends in a space: `Bearerabc` is then not `Bearer abc`. */
  readonly spaceNeeded: boolean;
  readonly group: ProviderGroup;
}

interface HeaderSource {
  readonly location: TokenLocation;
  /** The longest first: the most specific one that fits decides. */
  readonly prefixes: readonly HeaderPrefix[];
}

interface QuerySource {
  readonly location: TokenLocation;
  readonly group: ProviderGroup;
}

/** Every place where any provider of one policy looks for a token. */
export interface TokenSources {
  readonly headers: readonly HeaderSource[];
  readonly queryParams: readonly QuerySource[];
  readonly groups: readonly ProviderGroup[];
}

export interface FoundToken {
  readonly token: string;
  readonly location: TokenLocation;
  readonly group: ProviderGroup;
}

/**
 * Merges the token sources of a policy's providers.
 *
 * @param sources one entry for each provider, in the policy's order
 */
export function compileTokenSources(sources: readonly TokenSourcesPlan[]): TokenSources {
  const headers = new Map<string, Map<string, number[]>>();
  const queryParams = new Map<string, number[]>();
  sources.forEach((source, provider) => {
    for (const { header, prefix } of source.headers) {
      const prefixes = headers.get(header) ?? new Map<string, number[]>();
      headers.set(header, prefixes);
      addProvider(prefixes, prefix, provider);
    }
    for (const name of source.queryParams) addProvider(queryParams, name, provider);
  });

  const groups: ProviderGroup[] = [];
  const groupOf = (providers: readonly number[]): ProviderGroup => {
    const known = groups.find((group) => isSameList(group.providers, providers));
    if (known !== undefined) return known;
    const group: ProviderGroup = { providers };
    groups.push(group);
    return group;
  };

  return {
    headers: Array.from(headers, ([name, prefixes]) => ({
      location: Object.freeze({ in: 'header', name }),
      prefixes: Array.from(prefixes, ([prefix, providers]) => ({
        prefix: prefix.trimEnd(),
        lowerCasePrefix: prefix.trimEnd().toLowerCase(),
        spaceNeeded: prefix.endsWith(' '),
        group: groupOf(providers),
      })).sort((a, b) => b.prefix.length - a.prefix.length),
    })),
    queryParams: Array.from(queryParams, ([name, providers]) => ({
      location: Object.freeze({ in: 'query', name }),
      group: groupOf(providers),
    })),
    groups,
  };
}

const missing = new Refusal('TOKEN_MISSING');
const ambiguous = new Refusal('TOKEN_AMBIGUOUS');

/**
 * Finds the one token of a request (RFC 6750, section 2).
 *
 * A header prefix is compared without regard to case; any number of spaces may follow it. A header
 * without its prefix, and an empty value, count as no token. Query parameters are decoded as RFC 3986
 * says, so `+` stays a plus sign.
 *
 * @returns the token and its place, or a refusal: TOKEN_MISSING, or TOKEN_AMBIGUOUS for a second token or
 * a repeated header or parameter
 */
export function findToken(request: CredentialSource, sources: TokenSources): FoundToken | Refusal {
  let found: FoundToken | null = null;

  const fields = request.headers;
  for (const source of sources.headers) {
    let occurred = false;
    for (let index = 0; index < fields.length; index += 2) {
      if (fields[index] !== source.location.name) continue;
      if (occurred) return ambiguous;
      occurred = true;
      const next = readHeader(fields[index + 1] ?? '', source);
      if (next === null) continue;
      if (found !== null) return ambiguous;
      found = next;
    }
  }

  if (request.query !== null && sources.queryParams.length > 0) {
    for (const source of sources.queryParams) {
      const values = queryValues(request.query, source.location.name);
      if (values.length > 1) return ambiguous;
      const token = values[0];
      if (token === undefined || token === '') continue;
      if (found !== null) return ambiguous;
      found = { token, location: source.location, group: source.group };
    }
  }

  return found ?? missing;
}

function readHeader(value: string, source: HeaderSource): FoundToken | null {
  for (const { prefix, lowerCasePrefix, spaceNeeded, group } of source.prefixes) {
    if (!startsWith(value, prefix, lowerCasePrefix)) continue;
    let start = prefix.length;
    if (spaceNeeded && value.charCodeAt(start) !== space) continue;
    let end = value.length;
    while (start < end && value.charCodeAt(start) === space) start += 1;
    while (end > start && isWhitespace(value.charCodeAt(end - 1))) end -= 1;
    return start === end
      ? null
      : { token: value.slice(start, end), location: source.location, group };
  }
  return null;
}

const space = 0x20;

function isWhitespace(code: number): boolean {
  return code === space || code === 0x09;
}

function startsWith(value: string, prefix: string, lowerCasePrefix: string): boolean {
  return (
    value.startsWith(prefix) || value.slice(0, prefix.length).toLowerCase() === lowerCasePrefix
  );
}

function queryValues(query: string, name: string): string[] {
  const values: string[] = [];
  for (const parameter of query.split('&')) {
    const equals = parameter.indexOf('=');
    const rawName = equals === -1 ? parameter : parameter.slice(0, equals);
    if (rawName !== name && decodePercent(rawName) !== name) continue;
    values.push(equals === -1 ? '' : decodePercent(parameter.slice(equals + 1)));
  }
  return values;
}

/** Text that is not valid percent-encoded UTF-8 stays as it is, and is then no valid token. */
function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function addProvider(byKey: Map<string, number[]>, key: string, provider: number): void {
  const providers = byKey.get(key) ?? [];
  byKey.set(key, providers);
  if (!providers.includes(provider)) providers.push(provider);
}

function isSameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
