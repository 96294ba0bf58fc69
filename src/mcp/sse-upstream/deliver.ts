import type { UpstreamAnswer } from '../../forward/upstream.ts';
import { answerNoRoom, answerNotReady, answerNotTaken } from './answers.ts';
import type { PostOutcome } from './post-message.ts';
import type { SseConnection } from './sse-connection.ts';

/** Sends a message on a connection, and tells what became of it. */
export type Send = (connection: SseConnection, done: (outcome: PostOutcome) => void) => void;

/**
 * Sends a message on the connection of its session, once that is ready, and answers where it can't be sent or the
 * server does not take it. Where the server does not know the connection, and nothing else runs on it, the
 * session is opened anew and the message is sent once more: it was not taken the first time.
 *
 * @param mayBeUnknown whether a refusal says that the server does not know the connection
 * @param connectionOf finds or opens the connection; `null` where there is no room
 * @returns ends the waiting; nothing is called any more
 */
export function deliver(
  connectionOf: () => SseConnection | null,
  answer: UpstreamAnswer,
  mayBeUnknown: (outcome: PostOutcome) => boolean,
  send: Send,
  onAccepted: () => void,
): { cancel(): void } {
  let isCancelled = false;
  let cancelWait = (): void => undefined;

  function attempt(mayRepeat: boolean): void {
    const connection = connectionOf();
    if (connection === null) {
      answerNoRoom(answer);
      return;
    }
    cancelWait = connection.whenReady((outcome) => {
      if (isCancelled) return;
      if (outcome.kind !== 'ready') {
        answerNotReady(answer, outcome);
        return;
      }
      send(connection, (posted) => {
        if (isCancelled) return;
        if (posted.kind === 'accepted') {
          onAccepted();
        } else if (mayRepeat && mayBeUnknown(posted) && connection.waiting === 0) {
          connection.close('UPSTREAM_RESET', 'the server does not know the connection');
          attempt(false);
        } else {
          answerNotTaken(answer, posted);
        }
      });
    });
  }

  attempt(true);
  return {
    cancel() {
      isCancelled = true;
      cancelWait();
    },
  };
}

/** 404: the server does not know the endpoint. */
export function isNotFound(outcome: PostOutcome): boolean {
  return outcome.kind === 'refused' && outcome.status === 404;
}

/**
 * 404, or the 400 of servers written after the examples of the SDK for TypeScript, which also refuse what they can't
 * read so: right for messages that the gate has read.
 */
export function isUnknownConnection(outcome: PostOutcome): boolean {
  return isNotFound(outcome) || (outcome.kind === 'refused' && outcome.status === 400);
}
