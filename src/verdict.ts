/** What a stage says when it is done with an exchange. */

import type { Refusal } from './errors.ts';

/** The next stage may go on. */
export const PASS = Symbol('pass');

/** The stage has answered, or is answering, the request itself. */
export const ANSWERED = Symbol('answered');

/** The stage goes on by itself: it calls `exchange.proceed` once, in a later turn of the event loop. */
export const WAITING = Symbol('waiting');

export type Verdict = typeof PASS | typeof ANSWERED | Refusal;
