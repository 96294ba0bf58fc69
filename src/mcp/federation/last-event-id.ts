const LAWFUL = /^[\x21-\x7e]{1,1024}$/;

/**
 * What of an event's id may go back to its target in a header field (Last-Event-ID): visible ASCII, and short. Of
 * another one nothing can be resumed; an empty one takes back the one before (WHATWG HTML, 9.2.6).
 */
export function lastEventIdOf(id: string): string | null {
  return LAWFUL.test(id) ? id : null;
}
