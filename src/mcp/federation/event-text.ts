const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const START = Buffer.from('event: message\ndata: ');
const END = Buffer.from('\n\n');

/** A comment, which keeps a stream alive (WHATWG HTML, 9.2.5). */
export const commentEvent = Buffer.from(':\n\n');

/**
 * One message as a server-sent event without an id: those of several targets can't be resumed.
 *
 * @param message JSON; a line's end can stand there as white space alone, and becomes a space
 */
export function eventOf(message: Uint8Array): Buffer {
  const event = Buffer.concat([START, message, END]);
  const end = event.length - END.length;
  for (let at = START.length; at < end; at += 1) {
    if (event[at] === LF || event[at] === CR) event[at] = SPACE;
  }
  return event;
}
