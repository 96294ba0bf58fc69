/** The table at the end of a soak, and the verdict. */
import { mostOf, type SoakResult } from './soak.ts';

/** Everything that must not be; empty where the soak is passed. Memory and delays are reported only. */
export function failuresOf(result: SoakResult): readonly string[] {
  const { ledger, descriptorsAtStart, descriptorsAtEnd } = result;
  const failures: string[] = [];
  const demand = (holds: boolean, failure: string): void => {
    if (!holds) failures.push(failure);
  };
  demand(ledger.unexpected === 0, `${ledger.unexpected} requests failed unexpectedly`);
  demand(result.streamsLeft === 0, `${result.streamsLeft} streams are left`);
  demand(result.requestsLeft === 0, `${result.requestsLeft} requests are left`);
  demand(result.connectionsLeft === 0, `${result.connectionsLeft} connections of clients are left`);
  demand(
    mostOf(descriptorsAtEnd) <= mostOf(descriptorsAtStart) &&
      (descriptorsAtEnd[0] ?? 0) <= (descriptorsAtStart[0] ?? 0),
    `descriptors leak: ${descriptorsAtStart.join(' ')} at the start, ${descriptorsAtEnd.join(' ')} at the end`,
  );
  demand(result.lastReloadInForce, 'the last configuration did not come into force');
  demand(result.leakedLines === 0, `${result.leakedLines} lines of the logs hold a token`);
  return failures;
}

export function formatReport(result: SoakResult): string {
  const { ledger, faults, memory } = result;
  const lines = [`Soak of ${result.seconds} s`, ''];
  const row = (name: string, ...cells: readonly (string | number)[]): void => {
    lines.push(name.padEnd(28) + cells.map((cell) => String(cell).padStart(12)).join(''));
  };
  row('kind', 'requests', 'as they must', 'excused', 'unexpected');
  const total = { requests: 0, asTheyMust: 0, excused: 0, unexpected: 0 };
  for (const [kind, count] of [...ledger.kinds].sort(([a], [b]) => (a < b ? -1 : 1))) {
    row(kind, count.requests, count.asTheyMust, count.excused, count.unexpected);
    total.requests += count.requests;
    total.asTheyMust += count.asTheyMust;
    total.excused += count.excused;
    total.unexpected += count.unexpected;
  }
  row('all', total.requests, total.asTheyMust, total.excused, total.unexpected);
  lines.push('', 'refused, as it must be');
  for (const [reason, count] of [...ledger.refusals].sort(([, a], [, b]) => b - a)) {
    lines.push(`${String(count).padStart(8)}  ${reason.replaceAll(/\s+/g, ' ')}`);
  }
  lines.push('', 'faults');
  for (const [name, count] of Object.entries(faults)) row(name, Number(count));
  lines.push('');
  row('process', 'life s', 'end MiB', 'MiB/min');
  for (const { pid, role, lifeSeconds, endMiB, slopeMiBPerMinute } of memory) {
    const slope = slopeMiBPerMinute === null ? '-' : slopeMiBPerMinute.toFixed(2);
    row(`${role} ${pid}`, Math.round(lifeSeconds), endMiB.toFixed(1), slope);
  }
  lines.push('');
  row('descriptors at start', result.descriptorsAtStart.join(' '));
  row('descriptors at end', result.descriptorsAtEnd.join(' '));
  row('streams left', result.streamsLeft);
  row('requests left', result.requestsLeft);
  row('client connections left', result.connectionsLeft);
  row('event-loop delay, max', `${(result.maxEventLoopDelaySeconds * 1000).toFixed(0)} ms`);
  row('log lines with a token', result.leakedLines);
  lines.push('', ...ledger.complaints);
  const failures = failuresOf(result);
  if (failures.length > 0) lines.push('', 'end of the process log:', result.processLogEnd);
  lines.push('', failures.length === 0 ? 'PASS' : `FAIL: ${failures.join('; ')}`);
  return lines.join('\n');
}
