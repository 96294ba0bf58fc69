/** Counts of MCP requests, sessions, denials and ended streams: plain numbers on the hot path. */

import { knownMethods } from '../mcp/known-methods.ts';
import { isLabelledTool, type McpOutcome } from './mcp-labels.ts';
import type { HistogramSample, Sample } from './metric-store.ts';
import { countDuration, requestBoundsSeconds } from './request-counts.ts';

/** One target of one backend. Ask once, keep it, and count on it. */
export interface McpTargetCounts {
  /**
   * @param method as the body says it; `other` stands for one that MCP does not know
   * @param tool the name that is called, `null` where none is; `other` stands for one that is in no list of
   *   the target that passed
   */
  observe(method: string, tool: string | null, outcome: McpOutcome, durationMs: number): void;
}

export interface McpCounts {
  /** The counts of a target; the same each time. */
  target(backend: string, target: string): McpTargetCounts;
  /** Notes names from a list of tools that the target sent. */
  learnTools(backend: string, target: string, names: readonly string[]): void;
  /** @param policy `namespace/name` */
  countDenial(policy: string): void;
  countSession(backend: string): void;
  countStreamEnd(reason: string): void;
  /** An upstream session had expired and was opened anew. */
  onReinitialised(backend: string, target: string): void;
  /** A target of a federation did not answer, and the others did without it. `reason` from a closed list. */
  onTargetFailed(backend: string, target: string, reason: string): void;
  readRequests(): Iterable<Sample>;
  readDurations(): Iterable<HistogramSample>;
  readDenials(): Iterable<Sample>;
  readSessions(): Iterable<Sample>;
  readStreamEnds(): Iterable<Sample>;
  readReinitialisations(): Iterable<Sample>;
  readTargetFailures(): Iterable<Sample>;
}

/** Names come from the configuration, but a long-lived process sees many of them. */
const maxTargets = 2_000;
const maxLabelSets = 10_000;
/** Of one target; a server may have more, and share `other`. */
const maxTools = 256;
/** Of all targets together. */
const maxAllTools = 8_192;

interface Total {
  value: number;
}

interface Method {
  /** By tool; the empty string where none is called. Then by outcome. */
  readonly totals: Map<string, Map<McpOutcome, Total>>;
  readonly durations: Float64Array;
  sumSeconds: number;
}

interface Found {
  readonly counts: Method;
  readonly total: Total;
}

class Target implements McpTargetCounts {
  readonly backend: string;
  readonly target: string;
  readonly tools = new Set<string>();
  readonly methods = new Map<string, Method>();
  /** What was counted on last, and by which names: most requests are like the one before. */
  #last: Found | null = null;
  #lastName = '';
  #lastTool: string | null = null;
  #lastOutcome: McpOutcome = 'ok';

  constructor(backend: string, target: string) {
    this.backend = backend;
    this.target = target;
  }

  observe(method: string, tool: string | null, outcome: McpOutcome, durationMs: number): void {
    const isLikeLast =
      method === this.#lastName && tool === this.#lastTool && outcome === this.#lastOutcome;
    const last = isLikeLast ? this.#last : null;
    const { counts, total } = last ?? this.#find(method, tool, outcome);
    counts.sumSeconds += countDuration(counts.durations, durationMs);
    total.value += 1;
  }

  #find(method: string, tool: string | null, outcome: McpOutcome): Found {
    const name = knownMethods.has(method) ? method : 'other';
    let counts = this.methods.get(name);
    if (counts === undefined) {
      const durations = new Float64Array(requestBoundsSeconds.length + 1);
      counts = { totals: new Map(), durations, sumSeconds: 0 };
      this.methods.set(name, counts);
    }
    const toolName = tool === null ? '' : this.tools.has(tool) ? tool : 'other';
    const outcomes = counts.totals.get(toolName) ?? new Map<McpOutcome, Total>();
    counts.totals.set(toolName, outcomes);
    const total = outcomes.get(outcome) ?? { value: 0 };
    outcomes.set(outcome, total);
    const found = { counts, total };
    // What is in no list may be in one tomorrow, and is of any length.
    if (tool === null || toolName === tool) {
      this.#last = found;
      this.#lastName = name;
      this.#lastTool = tool;
      this.#lastOutcome = outcome;
    }
    return found;
  }
}

/** Starts at zero. */
export function createMcpCounts(): McpCounts {
  const targets: Target[] = [];
  const byBackend = new Map<string, Map<string, Target>>();
  const denials = createLabelCounts(['policy']);
  const sessions = createLabelCounts(['backend']);
  const streamEnds = createLabelCounts(['reason']);
  const reinitialisations = createLabelCounts(['backend', 'target']);
  const failures = createLabelCounts(['backend', 'target', 'reason']);
  let allTools = 0;
  let last: Target | null = null;

  function target(backend: string, name: string): Target {
    if (last?.backend === backend && last.target === name) return last;
    last = find(backend, name);
    return last;
  }

  function find(backend: string, name: string): Target {
    const known = byBackend.get(backend)?.get(name);
    if (known !== undefined) return known;
    if (targets.length >= maxTargets && backend !== 'other') return find('other', 'other');
    const created = new Target(backend, name);
    targets.push(created);
    const ofBackend = byBackend.get(backend) ?? new Map<string, Target>();
    byBackend.set(backend, ofBackend.set(name, created));
    return created;
  }

  return {
    target,
    learnTools(backend, name, names) {
      const { tools } = target(backend, name);
      for (const tool of names) {
        if (tools.has(tool) || !isLabelledTool(tool)) continue;
        if (tools.size >= maxTools || allTools >= maxAllTools) return;
        tools.add(tool);
        allTools += 1;
      }
    },
    countDenial: (policy) => denials.count(policy),
    countSession: (backend) => sessions.count(backend),
    countStreamEnd: (reason) => streamEnds.count(reason),
    onReinitialised: (backend, name) => reinitialisations.count(backend, name),
    onTargetFailed: (backend, name, reason) => failures.count(backend, name, reason),
    *readRequests() {
      for (const { backend, target: name, methods } of targets) {
        for (const [method, { totals }] of methods) {
          for (const [tool, outcomes] of totals) {
            for (const [outcome, { value }] of outcomes) {
              yield { labels: { backend, target: name, method, tool, outcome }, value };
            }
          }
        }
      }
    },
    *readDurations() {
      const sums = new Map<
        string,
        { labels: HistogramSample['labels']; counts: Float64Array; sum: number }
      >();
      for (const { backend, methods } of targets) {
        for (const [method, { durations, sumSeconds }] of methods) {
          const key = `${backend}\0${method}`;
          const total = sums.get(key) ?? {
            labels: { backend, method },
            counts: new Float64Array(durations.length),
            sum: 0,
          };
          durations.forEach(
            (value, index) => (total.counts[index] = (total.counts[index] ?? 0) + value),
          );
          total.sum += sumSeconds;
          sums.set(key, total);
        }
      }
      yield* sums.values();
    },
    readDenials: () => denials.read(),
    readSessions: () => sessions.read(),
    readStreamEnds: () => streamEnds.read(),
    readReinitialisations: () => reinitialisations.read(),
    readTargetFailures: () => failures.read(),
  };
}

interface LabelCounts {
  /** @param values of the labels, in their order */
  count(...values: string[]): void;
  read(): Iterable<Sample>;
}

function createLabelCounts(names: readonly string[]): LabelCounts {
  const entries = new Map<string, { readonly labels: Record<string, string>; value: number }>();

  function count(...values: string[]): void {
    const key = values.join('\0');
    let entry = entries.get(key);
    if (entry === undefined) {
      const isFull = entries.size >= maxLabelSets;
      if (isFull && values.some((value) => value !== 'other')) {
        count(...values.map(() => 'other'));
        return;
      }
      const labels = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
      entry = { labels, value: 0 };
      entries.set(key, entry);
    }
    entry.value += 1;
  }
  return { count, read: () => entries.values() };
}
