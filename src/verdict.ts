/** What a stage says when it is done with an exchange. */

import type { Refusal } from './errors.ts';

/** The next stage may go on. */
export const PASS = Symbol('pass');

/** The stage has answered, or is answering, the request itself. */
export const ANSWERED = Symbol('answered');

export type Verdict = typeof PASS | typeof ANSWERED | Refusal;
