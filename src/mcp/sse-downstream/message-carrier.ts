import type { Refusal } from '../../errors.ts';
import type { Exchange } from '../../exchange.ts';
import type { Verdict } from '../../verdict.ts';
import type { OpenedSession } from '../session.ts';

/**
 * What becomes of a message that was posted over HTTP+SSE: the answer to its POST is 202, what the message leads to
 * comes on the client's stream.
 */
export interface MessageCarrier {
  /** The session that the stream leads to; `null` where there is none yet, or another worker has it. */
  readonly session: OpenedSession | null;
  /** Settles when the upstream may be asked on behalf of the session; `null`: now. */
  whenReady(): Promise<void> | null;
  /** Takes a message that may go upstream. */
  carry(exchange: Exchange): Verdict;
  /**
   * Takes an answer of the gate's own to the request that the exchange brought.
   *
   * @param message JSON-RPC
   */
  answer(exchange: Exchange, message: Buffer): void;
  /**
   * Takes a refusal of it.
   *
   * @returns false where the refusal belongs into the answer of the POST
   */
  refuse(exchange: Exchange, refusal: Refusal): boolean;
}

/** Whether a refusal is worded as the answer to the request that the exchange brought. */
export function answersRequest({ message }: Exchange, { kind, contentType }: Refusal): boolean {
  return (
    message?.kind === 'request' &&
    contentType === 'application/json' &&
    kind.code !== 'MESSAGE_INVALID'
  );
}
