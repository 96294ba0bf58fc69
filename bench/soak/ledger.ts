/** Every request of a soak, judged: as it must be, excused by a fault that was running, or unexpected. */

/** What a client saw. */
export interface Seen {
  /** `null` where no head of an answer came. */
  readonly status: number | null;
  readonly text: string;
  readonly header: (name: string) => string;
  /** How the connection ended before the answer was complete; `null` where it was complete. */
  readonly cut: string | null;
}

export type Backend = 'fast' | 'stream' | 'faulty';

/** Something bad that was done to the gate or to what it needs. */
export type Fault =
  { readonly what: 'kill' } | { readonly what: 'restart'; readonly backend: Backend };

interface Window {
  readonly fault: Fault;
  readonly fromMs: number;
  toMs: number;
}

interface Kind {
  requests: number;
  asTheyMust: number;
  excused: number;
  unexpected: number;
}

export interface Ledger {
  readonly kinds: ReadonlyMap<string, Readonly<Kind>>;
  /** Answers by status and text, of requests that were to be refused. */
  readonly refusals: ReadonlyMap<string, number>;
  /** The first of the unexpected ones, in words. */
  readonly complaints: readonly string[];
  readonly unexpected: number;
  /** @returns closes the window; the fault's effects may show for `graceMs` more */
  beginFault(fault: Fault): (graceMs: number) => void;
  /**
   * @param fault what is wrong with the answer; `null` where nothing is
   * @param isRefusal whether it had to be refused
   */
  judge(row: {
    readonly kind: string;
    readonly backend: Backend | null;
    readonly startedAtMs: number;
    readonly seen: Seen;
    readonly wrong: string | null;
    readonly isRefusal: boolean;
  }): void;
}

const MAX_COMPLAINTS = 40;
const resets = /ECONNRESET|EPIPE|socket hang up|aborted/;
const unreachable = /^upstream call failed|^request timeout/;

export function createLedger(now: () => number): Ledger {
  const kinds = new Map<string, Kind>();
  const refusals = new Map<string, number>();
  const complaints: string[] = [];
  const windows: Window[] = [];
  let unexpected = 0;

  const isExcused = (backend: Backend | null, startedAtMs: number, seen: Seen): boolean =>
    windows.some(
      ({ fault, fromMs, toMs }) =>
        startedAtMs <= toMs && now() >= fromMs && excuses(fault, backend, seen),
    );

  return {
    kinds,
    refusals,
    complaints,
    get unexpected() {
      return unexpected;
    },
    beginFault(fault) {
      const window: Window = { fault, fromMs: now(), toMs: Number.POSITIVE_INFINITY };
      windows.push(window);
      if (windows.length > 1000) windows.shift();
      return (graceMs) => void (window.toMs = now() + graceMs);
    },
    judge({ kind, backend, startedAtMs, seen, wrong, isRefusal }) {
      const row = kinds.get(kind) ?? { requests: 0, asTheyMust: 0, excused: 0, unexpected: 0 };
      kinds.set(kind, row);
      row.requests += 1;
      if (wrong === null) {
        row.asTheyMust += 1;
        if (!isRefusal) return;
        const reason = `${seen.status ?? 'cut'} ${seen.text.slice(0, 70)}`;
        refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
      } else if (isExcused(backend, startedAtMs, seen)) row.excused += 1;
      else {
        row.unexpected += 1;
        unexpected += 1;
        if (complaints.length >= MAX_COMPLAINTS) return;
        const answer = `${seen.status ?? '-'} ${JSON.stringify(seen.text.slice(0, 200))}`;
        const tookMs = Math.round(now() - startedAtMs);
        complaints.push(
          `at ${Math.round(startedAtMs)} ms: ${kind}: ${wrong}: ${answer} cut=${seen.cut ?? 'no'} after ${tookMs} ms`,
        );
      }
    },
  };
}

/** Whether a fault explains an answer that would be wrong without it. */
function excuses(fault: Fault, backend: Backend | null, seen: Seen): boolean {
  switch (fault.what) {
    case 'kill':
      // The connection dies with its worker, and in no other way.
      return seen.cut !== null && resets.test(seen.cut);
    case 'restart':
      if (backend !== fault.backend) return false;
      return seen.cut !== null ? resets.test(seen.cut) : unreachable.test(seen.text);
  }
}
