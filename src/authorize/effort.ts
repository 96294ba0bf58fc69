/**
 * What the evaluation of rules may cost. A client chooses the sizes of lists and texts that rules loop
 * over, so loops pay for what they look at; a decision that would cost more is a denial.
 */

/**
 * Most effort of one decision, over all of its rules. One is about the cost of one turn of a loop: a
 * microsecond or two.
 */
export const maxEffort = 50_000;

/** How much of a value is worth one: list members or map entries, and UTF-16 code units of a text. */
interface Rate {
  readonly members: number;
  readonly codeUnits: number;
}

/** A loop over the value: one turn for each member. */
const loopRate: Rate = { members: 1, codeUnits: 64 };
/** Comparison and search, which the engine does in one go. */
const scanRate: Rate = { members: 16, codeUnits: 512 };
/** Whatever looks at every character by itself, or makes a new value. */
const workRate: Rate = { members: 4, codeUnits: 64 };

export interface Effort {
  /** Gives the next decision all of {@link maxEffort}. */
  reset(): void;
  /** Whether a charge was refused since the last reset. */
  isSpent(): boolean;
  /** Each returns the value, and throws a RangeError where looking at it would cost too much. */
  readonly loop: <T>(value: T) => T;
  readonly scan: <T>(value: T) => T;
  readonly work: <T>(value: T) => T;
}

export function createEffort(limit = maxEffort): Effort {
  let left = limit;

  function charge(value: unknown, rate: Rate): void {
    if (typeof value === 'string') left -= value.length / rate.codeUnits;
    else if (typeof value === 'object' && value !== null) chargeMembers(value, rate);
    if (left < 0) throw new RangeError('the rules would take too long for this request');
  }

  function chargeMembers(value: object, rate: Rate): void {
    const members = membersOf(value);
    left -= members.length / rate.members;
    // A loop pays for what is inside a member when it looks there.
    if (rate === loopRate || left < 0) return;
    for (const member of members) {
      if (typeof member === 'string' || typeof member === 'object') charge(member, rate);
    }
  }

  const charging =
    (rate: Rate) =>
    <T>(value: T): T => {
      charge(value, rate);
      return value;
    };
  return {
    reset() {
      left = limit;
    },
    isSpent: () => left < 0,
    loop: charging(loopRate),
    scan: charging(scanRate),
    work: charging(workRate),
  };
}

function membersOf(value: object): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Map) return [...value.values()];
  // Times, durations, octets, patterns: small, or charged by whoever made them.
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.values(value) : [];
}

/** Rules are evaluated one at a time, from start to end, in each process. */
export const effort: Effort = createEffort();
