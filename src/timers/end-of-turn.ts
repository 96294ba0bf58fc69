/** What can put off its last step to the end of a turn of the event loop. */
export interface Delayed {
  /** Called once for each time it was put off. */
  onEndOfTurn(): void;
}

/** As many wait at most; the loop handles no more events in one turn. */
const MAX_WAITING = 1024;

let waiting: Delayed[] = [];
let spare: Delayed[] = [];

/**
 * Puts something off until the events that the loop has at hand are handled.
 *
 * Octets that are written one connection after the other, with the work for each in between, wake the process at the
 * other end each time; written one after the other at once they wake it once. Waking is the dearest call to the
 * kernel there is: without this `npm run bench -- --scenario tool` shows a fifth less requests per second.
 */
export function atEndOfTurn(delayed: Delayed): void {
  waiting.push(delayed);
  if (waiting.length === MAX_WAITING) run();
  else if (waiting.length === 1) setImmediate(run);
}

function run(): void {
  const delayed = waiting;
  waiting = spare;
  spare = [];
  for (const one of delayed) one.onEndOfTurn();
  delayed.length = 0;
  spare = delayed;
}
