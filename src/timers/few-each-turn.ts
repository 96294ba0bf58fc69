/** What can wait for its turn. */
export interface Patient {
  /** Called once for each time that it was told to wait. */
  onTurn(): void;
}

/** Each costs tens of microseconds, and whoever else comes in this turn of the event loop waits for all of them. */
const PER_TURN = 4;

/** More than these do not wait: what waits holds its request's memory, and counts as a request in flight. */
const MAX_WAITING = 1024;

let arriving: Patient[] = [];
/** The next one is the last: what has had its turn must not be held by those who still wait. */
let serving: Patient[] = [];
let left = PER_TURN;
let isArmed = false;

/**
 * Runs what anybody may ask for, known or not: four in each turn of the event loop, the others in later turns, in their
 * order. Who has room runs at once.
 *
 * A flood sends its next requests when its last ones are answered. Answered all at once they come all at once, and a
 * known caller, whose request takes two turns, waits for two turns full of them; answered a few at a time they come a
 * few at a time: while one is refused, known callers wait a tenth as long (`npm run bench -- --study flood`).
 */
export function fewEachTurn(patient: Patient): void {
  if (takePlace()) patient.onTurn();
  else arriving.push(patient);
}

/**
 * Waits for a turn as {@link fewEachTurn} does.
 *
 * @returns `null` where there is room: who asks goes on at once
 */
export function waitForTurn(): Promise<void> | null {
  if (takePlace()) return null;
  return new Promise((resolve) => arriving.push({ onTurn: resolve }));
}

/** @returns false where one has to wait */
function takePlace(): boolean {
  const waiting = arriving.length + serving.length;
  if (waiting >= MAX_WAITING) return true;
  if (left === 0 || waiting > 0) return false;
  left -= 1;
  beginNextTurnLater();
  return true;
}

function beginNextTurnLater(): void {
  if (isArmed) return;
  isArmed = true;
  setImmediate(beginTurn);
}

function beginTurn(): void {
  isArmed = false;
  left = PER_TURN;
  for (let patient = next(); patient !== undefined; patient = next()) {
    left -= 1;
    beginNextTurnLater();
    patient.onTurn();
    if (left === 0) return;
  }
}

function next(): Patient | undefined {
  if (serving.length === 0) {
    const empty = serving;
    serving = arriving.reverse();
    arriving = empty;
  }
  return serving.pop();
}
