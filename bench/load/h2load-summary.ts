/** What h2load prints when a run is over. */
export interface H2loadSummary {
  /** How long it really took. */
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly requests: {
    readonly total: number;
    readonly started: number;
    readonly done: number;
    readonly succeeded: number;
    /** Errored, or answered with another status than 2xx and 3xx. */
    readonly failed: number;
    readonly errored: number;
    readonly timeout: number;
  };
  /** Answers by the first digit of their status. One whose body was still on its way counts too. */
  readonly statusClasses: Readonly<Record<2 | 3 | 4 | 5, number>>;
  /** From the first octet sent to the last one read; of at most a million requests, taken by chance. */
  readonly requestMs: { readonly min: number; readonly max: number; readonly mean: number };
}

const COUNTS =
  /^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$/m;
const CLASSES = /^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$/m;
const FINISHED = /^finished in (\S+), (\d+(?:\.\d+)?) req\/s, \S+$/m;
/** The second form is of versions that also print percentiles. */
const TIMES = /^(?:time for request|request +):(.*)$/m;
const HEADINGS = /^ +(min {2,}max {2,}.*)$/m;

/**
 * Reads the account that h2load gives of a run.
 *
 * @param text all of its standard output
 * @throws Error when a line is missing, doubled or of another form, or the counts contradict each other
 */
export function parseH2loadSummary(text: string): H2loadSummary {
  const [duration = '', rate] = only(FINISHED, text);
  const [total, started, done, succeeded, failed, errored, timeout] = only(COUNTS, text).map(
    Number,
  );
  const [c2, c3, c4, c5] = only(CLASSES, text).map(Number);
  const requests = {
    ...{ total: count(total), started: count(started), done: count(done) },
    ...{ succeeded: count(succeeded), failed: count(failed) },
    ...{ errored: count(errored), timeout: count(timeout) },
  };
  if (requests.succeeded + requests.failed > requests.total || requests.done > requests.total) {
    throw new Error(`h2load counts more than there were: ${JSON.stringify(requests)}`);
  }
  const seconds = milliseconds(duration) / 1000;
  const requestsPerSecond = Number(rate);
  // Both are rounded. In a run for a time the rate is of the time that was asked for, and it may have taken longer.
  if (requestsPerSecond * seconds < requests.done * 0.99 - 1) {
    throw new Error(`h2load took ${duration} for ${requests.done} requests at ${rate} a second`);
  }
  return {
    ...{ seconds, requestsPerSecond, requests },
    statusClasses: { 2: count(c2), 3: count(c3), 4: count(c4), 5: count(c5) },
    requestMs: timesOf(text),
  };
}

function timesOf(text: string): H2loadSummary['requestMs'] {
  const [headingLine = ''] = only(HEADINGS, text);
  const [valueLine = ''] = only(TIMES, text);
  // One heading, "+/- sd", has a blank in it.
  const headings = headingLine.trim().split(/ {2,}/);
  const values = valueLine.trim().split(/ +/);
  if (headings.length !== values.length) throw new Error(`h2load said: ${valueLine}`);
  const of = (heading: string): number => milliseconds(values[headings.indexOf(heading)] ?? '');
  const times = { min: of('min'), max: of('max'), mean: of('mean') };
  if (times.min > times.mean || times.mean > times.max)
    throw new Error(`h2load said: ${valueLine}`);
  return times;
}

/** What the groups of an expression hold that must match once. */
function only(expression: RegExp, text: string): readonly string[] {
  const [found, ...others] = text.matchAll(new RegExp(expression, 'gm'));
  if (found === undefined || others.length > 0) {
    const label = /[a-z][a-z ]+/.exec(expression.source)?.[0] ?? expression.source;
    throw new Error(`h2load said ${label} ${others.length + (found ? 1 : 0)} times: ${tail(text)}`);
  }
  return found.slice(1);
}

function count(value: number | undefined): number {
  if (Number.isSafeInteger(value) && value !== undefined) return value;
  throw new Error('h2load counts more than numbers can hold');
}

const UNITS: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1000 };

function milliseconds(text: string): number {
  const [, value, unit = ''] = /^(\d+(?:\.\d+)?)(us|ms|s)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (value === undefined || factor === undefined) throw new Error(`h2load took "${text}"`);
  return Number(value) * factor;
}

function tail(text: string): string {
  return text.slice(-500);
}
