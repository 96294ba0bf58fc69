import { Refusal } from '../errors.ts';
import type { RefusalCode } from '../errors.ts';
import type { AuthenticationPlan, ProviderPlan } from '../plan.ts';
import type { EpochMilliseconds } from '../units.ts';
import { createLocalKeySet } from './key-set.ts';
import type { KeySet } from './key-set.ts';
import { judgeToken } from './provider.ts';
import { escapeNonPrintable, quoteUntrusted } from './quote-untrusted.ts';
import { defaultMaxTokenBytes, readToken } from './read-token.ts';
import type { ReadToken } from './read-token.ts';
import { verifySignature } from './verify-signature.ts';

/** What the configured policies say about one token. Never holds the token or its signature. */
export interface TokenExplanation {
  /** Why the token can't be read at all, or `null`. */
  readonly unreadable: TokenProblem | null;
  readonly algorithm: string | null;
  readonly kid: string | null;
  /** The payload; verified only where `accepted`. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** Whether any provider of any policy accepts the token. */
  readonly accepted: boolean;
  readonly policies: readonly PolicyExplanation[];
}

export interface PolicyExplanation {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  readonly policyKind: string;
  readonly mode: AuthenticationPlan['mode'];
  readonly providers: readonly ProviderExplanation[];
}

export interface ProviderExplanation {
  readonly provider: string;
  readonly verdict: 'accepted' | 'refused' | 'unknown';
  /** `null` where the token is accepted. */
  readonly problem: TokenProblem | null;
}

export interface TokenProblem {
  readonly code: RefusalCode;
  /** As the client would be told. */
  readonly text: string;
  readonly detail: string | null;
}

/**
 * Judges a token by every provider of every policy without touching the network. Remote key sets are not
 * fetched: where only they could decide, the verdict is `unknown`.
 *
 * @param token the compact token; surrounding space and a leading `Bearer` are ignored
 */
export async function explainToken(
  token: string,
  plans: readonly AuthenticationPlan[],
  nowMs: EpochMilliseconds,
): Promise<TokenExplanation> {
  const compact = token.trim().replace(/^bearer +/i, '');
  const read =
    compact.length > defaultMaxTokenBytes
      ? new Refusal('TOKEN_TOO_LARGE')
      : readToken(compact, false);
  if (read instanceof Refusal) {
    const unreadable = problemOf(read);
    return {
      unreadable,
      algorithm: null,
      kid: null,
      claims: null,
      accepted: false,
      policies: [],
    };
  }
  const policies: PolicyExplanation[] = [];
  for (const plan of plans) {
    const providers: ProviderExplanation[] = [];
    for (const provider of plan.providers) {
      providers.push(await explainProvider(read, provider, nowMs));
    }
    const { policy, policyKind, mode } = plan;
    policies.push({ policy, policyKind, mode, providers });
  }
  return {
    unreadable: null,
    algorithm: read.algorithm,
    kid: read.kid,
    claims: read.payload,
    accepted: policies.some((policy) =>
      policy.providers.some((provider) => provider.verdict === 'accepted'),
    ),
    policies,
  };
}

/** The explanation as text for a terminal: printable ASCII and line feeds only. */
export function renderTokenExplanation(explanation: TokenExplanation): string {
  const lines: string[] = [];
  if (explanation.unreadable !== null) {
    lines.push(`refused: ${renderProblem(explanation.unreadable)}`);
  } else {
    lines.push(
      `alg: ${explanation.algorithm ?? ''}`,
      `kid: ${explanation.kid === null ? '(none)' : quoteUntrusted(explanation.kid, 128)}`,
    );
    const heading = explanation.accepted ? 'claims' : 'claims (not verified)';
    lines.push(`${heading}: ${JSON.stringify(explanation.claims, null, 2)}`);
    for (const { policy, policyKind, mode, providers } of explanation.policies) {
      lines.push(`${policyKind}/${policy} (${mode})`);
      for (const { provider, verdict, problem } of providers) {
        const reason = problem === null ? '' : `: ${renderProblem(problem)}`;
        lines.push(`  provider ${provider}: ${verdict}${reason}`);
      }
    }
    if (explanation.policies.length === 0) lines.push('no authentication policy is configured');
  }
  return `${escapeNonPrintable(lines.join('\n'))}\n`;
}

async function explainProvider(
  token: ReadToken,
  plan: ProviderPlan,
  nowMs: EpochMilliseconds,
): Promise<ProviderExplanation> {
  const { keys } = plan;
  const keySet =
    keys.source === 'local' ? createLocalKeySet(keys, () => undefined) : unfetchedKeySet;
  const verdict = await judgeToken(
    token,
    { plan, keySet },
    { verifySignature, clock: () => nowMs },
  );
  if (verdict.accepted) return { provider: plan.name, verdict: 'accepted', problem: null };
  const { code } = verdict.refusal.kind;
  if (keys.source === 'remote' && code === 'KEYS_UNAVAILABLE') {
    const detail = `the claims fit, but the keys at ${keys.url} are not fetched offline`;
    const problem = { code, text: 'the signature was not checked', detail };
    return { provider: plan.name, verdict: 'unknown', problem };
  }
  return { provider: plan.name, verdict: 'refused', problem: problemOf(verdict.refusal) };
}

/** Stands for a remote set that nobody has asked. */
const unfetchedKeySet: KeySet = {
  generation: 0,
  refetchAllowedAtMs: Infinity,
  find: () => [],
  has: () => false,
  refetch: () => null,
  state: () => ({
    source: 'remote',
    url: null,
    generation: 0,
    keys: 0,
    fetchedAtMs: null,
    fetches: 0,
    failures: 0,
    consecutiveFailures: 0,
    lastProblem: null,
  }),
};

function problemOf(refusal: Refusal): TokenProblem {
  return { code: refusal.kind.code, text: refusal.text, detail: refusal.detail ?? null };
}

function renderProblem(problem: TokenProblem): string {
  const detail = problem.detail === null ? '' : ` (${problem.detail})`;
  return `${problem.text} [${problem.code}]${detail}`;
}
