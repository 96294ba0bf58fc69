/** Runs in the threads of the verify pool. */

import { stepBack } from './step-back.ts';
import { verifySignature } from './verify-signature.ts';
import type { SignatureCheck, SignatureOutcome } from './verify-signature.ts';

stepBack();

/** Checks a batch of signatures; the outcomes are in the order of the checks. Never rejects. */
export function verifyBatch(checks: readonly SignatureCheck[]): Promise<SignatureOutcome[]> {
  return Promise.all(checks.map(verifySignature));
}
