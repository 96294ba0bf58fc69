/**
 * Loaded into the gate by NODE_OPTIONS, in every process and thread: the wall clock is off by as many milliseconds as
 * the file `TEST_CLOCK_SHIFT` says. Timers and the monotonic clock are left alone, as by a step of the system's clock.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const { now } = Date;
const file = process.env.TEST_CLOCK_SHIFT;
let shiftMs = 0;
let readAtMs = -Infinity;

function shift() {
  if (performance.now() - readAtMs < 10) return shiftMs;
  readAtMs = performance.now();
  const read = Number(readFileSync(file, 'utf8'));
  if (Number.isFinite(read)) shiftMs = read;
  return shiftMs;
}

const SystemDate = Date;
globalThis.Date = class extends SystemDate {
  constructor(...parameters) {
    if (parameters.length === 0) super(now() + shift());
    else super(...parameters);
  }
  static now() {
    return now() + shift();
  }
};
