/**
 * A soak: `npm run soak -- --minutes N` (default 5; `--kills off` spares the workers). Prints a table; exit code 1 on any unexpected failure
 * and on any leak.
 */
import { parseArgs } from 'node:util';
import { failuresOf, formatReport } from './report.ts';
import { runSoak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    clients: { type: 'string', default: '16' },
    // Without kills the memory of one worker can be watched for as long as the soak takes.
    kills: { type: 'string', default: 'on' },
  },
});
const seconds = Number(values.minutes) * 60;
const clients = Number(values.clients);
if (!(seconds > 0 && clients > 0)) {
  process.stderr.write('usage: npm run soak -- [--minutes N] [--clients N] [--kills on|off]\n');
  process.exit(2);
}
const result = await runSoak({
  seconds,
  clients,
  pauseMs: 10,
  warmUpSeconds: Math.min(30, seconds / 4),
  faults: {
    reloadMs: 4000,
    killMs: values.kills === 'off' ? Number.POSITIVE_INFINITY : 60_000,
    rotationMs: 8000,
    keyEndpointMs: 20_000,
    restartMs: 15_000,
  },
});
process.stdout.write(`${formatReport(result)}\n`);
process.exitCode = failuresOf(result).length === 0 ? 0 : 1;
