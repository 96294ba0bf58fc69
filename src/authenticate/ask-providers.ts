import type { ReadToken } from './read-token.ts';
import { judgeToken, lacksKey } from './provider.ts';
import type { Acceptance, JudgeOptions, Provider, Rejection } from './provider.ts';

/**
 * Asks providers about a token, one after another, until one accepts. Those that have a key for it are
 * asked first, so that nobody waits for a fetch that another provider's key makes unnecessary.
 *
 * @param providers at least one
 * @returns the acceptance, or the most telling rejection
 */
export async function askProviders(
  token: ReadToken,
  providers: readonly Provider[],
  options: JudgeOptions,
): Promise<Acceptance | Rejection> {
  const ordered = [
    ...providers.filter((provider) => !lacksKey(token, provider)),
    ...providers.filter((provider) => lacksKey(token, provider)),
  ];
  const rejections: Rejection[] = [];
  for (const provider of ordered) {
    const verdict = await judgeToken(token, provider, options);
    if (verdict.accepted) return verdict;
    rejections.push(verdict);
  }
  const told = mostTelling(token, rejections);
  if (told === null) throw new Error('an authentication policy without providers');
  const finalUntilMs = Math.min(...rejections.map((rejection) => rejection.finalUntilMs));
  return { ...told, finalUntilMs };
}

/**
 * The refusal to report when every provider refuses: the most telling one. A check that could not be made
 * comes first, since it might have accepted the token; missing keys come before the word of a provider
 * that does not know the token's key. Else the provider that the token's issuer names, then one that knows
 * its key, then the one where the token came furthest, then the first.
 *
 * @param rejections in the order in which the providers were asked
 */
export function mostTelling(token: ReadToken, rejections: readonly Rejection[]): Rejection | null {
  let best: Rejection | null = null;
  let bestRank = -1;
  for (const rejection of rejections) {
    const rank = rankOf(token, rejection);
    if (rank <= bestRank) continue;
    best = rejection;
    bestRank = rank;
  }
  return best;
}

function rankOf(token: ReadToken, rejection: Rejection): number {
  const { code } = rejection.refusal.kind;
  if (code === 'VERIFICATION_OVERLOADED' || code === 'VERIFICATION_FAILED') return 300;
  if (code === 'KEYS_UNAVAILABLE') return 120;
  const { plan } = rejection.provider;
  const isNamed = plan.issuer !== null && plan.issuer === token.claims.issuer;
  const knowsKey = !lacksKey(token, rejection.provider);
  return (isNamed ? 100 : 0) + (knowsKey ? 50 : 0) + progressOf(rejection);
}

const progress = [
  'TOKEN_ISSUER_MISMATCH',
  'TOKEN_WITHOUT_KID',
  'TOKEN_AUDIENCE_MISMATCH',
  'TOKEN_KEY_UNKNOWN',
  'TOKEN_ALGORITHM_REFUSED',
  'TOKEN_SIGNATURE_INVALID',
  'TOKEN_NOT_YET_VALID',
  'TOKEN_EXPIRED',
];

function progressOf(rejection: Rejection): number {
  return progress.indexOf(rejection.refusal.kind.code);
}
