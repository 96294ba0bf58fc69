import type { TargetAnswer } from './ask-target.ts';
import type { TargetResponse } from './read-response.ts';
import type { TargetSession } from './session-text.ts';

/**
 * Whether a target says that it does not know the session: 404 (MCP 2025-11-25, session management), or 400 with an
 * error that speaks of the session, as servers in use answer.
 */
export function saysSessionExpired(status: number, response: TargetResponse | null): boolean {
  if (status === 404) return true;
  if (status !== 400 || response?.kind !== 'error') return false;
  return /\bsession\b|not initialized/i.test(response.message);
}

/** The same of an answer that was read as a whole, to a request in this session. */
export function isExpired(session: TargetSession, answer: TargetAnswer): boolean {
  return (
    session.id !== null &&
    answer.kind === 'answer' &&
    answer.response.kind !== 'result' &&
    saysSessionExpired(answer.status, answer.response)
  );
}
