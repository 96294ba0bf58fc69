/**
 * Quantities and the clock. A number that crosses a module border names its unit, in its own name
 * or through one of these types.
 */

/** A span of time in milliseconds. */
export type Milliseconds = number;

/** A point in time, milliseconds since the Unix epoch. */
export type EpochMilliseconds = number;

/** A number of octets. */
export type Bytes = number;

/** Reads the wall clock. Checks take it, or its value, as a parameter, so that tests can set the time. */
export type Clock = () => EpochMilliseconds;

/** The process's wall clock. */
export const systemClock: Clock = () => Date.now();
