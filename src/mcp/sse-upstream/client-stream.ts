import type { UpstreamAnswer } from '../../forward/upstream.ts';
import type { RefusalCode } from '../../errors.ts';
import type { Bytes } from '../../units.ts';

const HEAD = [
  ['content-type', 'text/event-stream'],
  ['cache-control', 'no-cache, no-transform'],
  ['x-accel-buffering', 'no'],
].flat();

const BEFORE = Buffer.from('event: message\ndata: ');
const BETWEEN = Buffer.from('\ndata: ');
const AFTER = Buffer.from('\n\n');
const LF = 0x0a;

/** One event stream to a client: the answer to a POST, or what a GET opened. */
export interface ClientStream {
  /** Sends the head of the answer; once is enough. */
  begin(): void;
  /** Sends a message as an event. The stream fails where more waits for the client than may. */
  send(message: Buffer): void;
  /** Ends the stream in good order, after all that waits. */
  end(): void;
  fail(code: RefusalCode, detail: string): void;
  /** The client takes more. */
  resume(): void;
  /** The client has gone: nothing more is reported. */
  abort(): void;
}

/**
 * Makes the stream of one answer. It queues what the client does not take at once, up to a bound, so that one
 * slow client holds up nobody who shares the connection.
 *
 * @param onOverflow called when the stream has failed because too much waits
 */
export function createClientStream(
  answer: UpstreamAnswer,
  maxQueuedBytes: Bytes,
  onOverflow: () => void,
): ClientStream {
  let queue: Buffer[] = [];
  let queuedBytes = 0;
  let hasBegun = false;
  let isPaused = false;
  let isEnding = false;
  let isOver = false;

  function begin(): void {
    if (hasBegun || isOver) return;
    hasBegun = true;
    answer.onHead(200, [...HEAD]);
  }

  function finish(): boolean {
    if (isOver) return false;
    isOver = true;
    queue = [];
    return true;
  }

  return {
    begin,
    send(message) {
      if (isOver || isEnding) return;
      begin();
      const event = eventOf(message);
      if (!isPaused) {
        isPaused = !answer.onData(event);
        return;
      }
      if (queuedBytes + event.length > maxQueuedBytes && queue.length > 0) {
        finish();
        answer.onFailure('UPSTREAM_OVERLOADED', 'the client reads too slowly');
        onOverflow();
        return;
      }
      queue.push(event);
      queuedBytes += event.length;
    },
    end() {
      if (isOver) return;
      begin();
      isEnding = true;
      if (queue.length === 0 && finish()) answer.onEnd();
    },
    fail(code, detail) {
      if (finish()) answer.onFailure(code, detail);
    },
    resume() {
      isPaused = false;
      let sent = 0;
      for (const event of queue) {
        if (isPaused) break;
        sent += 1;
        queuedBytes -= event.length;
        isPaused = !answer.onData(event);
      }
      queue = queue.slice(sent);
      if (isEnding && queue.length === 0 && finish()) answer.onEnd();
    },
    abort() {
      finish();
    },
  };
}

/** One event (WHATWG HTML, 9.2.5); a line feed in the message makes a data line of its own. */
function eventOf(message: Buffer): Buffer {
  const parts: Buffer[] = [BEFORE];
  let start = 0;
  for (;;) {
    const lineFeed = message.indexOf(LF, start);
    if (lineFeed < 0) break;
    parts.push(message.subarray(start, lineFeed), BETWEEN);
    start = lineFeed + 1;
  }
  parts.push(message.subarray(start), AFTER);
  return Buffer.concat(parts);
}
