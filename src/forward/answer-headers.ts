import type { HeaderFields } from '../accept/request-head.ts';
import { readLength } from './content-length.ts';
import { connectionOptions, HOP_BY_HOP } from './hop-by-hop.ts';

const EVENT_STREAM = /^text\/event-stream\s*(;|$)/i;

export interface AnswerFields {
  readonly headers: HeaderFields;
  /** The one Content-Length of the answer, or `null`. */
  readonly contentLength: number | null;
  /**
   * An SSE stream whose octets are its text: `text/event-stream`, media types compared without regard to
   * case, without a content coding.
   */
  readonly isEventStream: boolean;
}

/** What is done with a field; all others pass. */
type Treatment = 'length' | 'left out' | 'about octets' | 'type' | 'coding';

const TREATMENTS: ReadonlyMap<string, Treatment> = new Map<string, Treatment>([
  ...Array.from(HOP_BY_HOP, (name) => [name, 'left out'] as const),
  ['date', 'left out'],
  ['content-length', 'length'],
  ['content-type', 'type'],
  ['content-encoding', 'coding'],
  // They are wrong once something was taken out of the body.
  ['content-digest', 'about octets'],
  ['etag', 'about octets'],
  ['repr-digest', 'about octets'],
]);

/**
 * The header fields of an upstream's answer as the client gets them, before the route's filters: without
 * hop-by-hop fields, framing and Date, which the server writes itself.
 *
 * @param ownCors whether the route answers CORS itself, so that the upstream's fields are left out
 * @param isFiltered whether something may be taken out of the body, so that digests and tags are left out
 */
export function answerHeaders(
  upstream: HeaderFields,
  ownCors: boolean,
  isFiltered = false,
): AnswerFields {
  const options = connectionOptions(upstream);
  const headers: HeaderFields = [];
  let contentLength: number | null = null;
  let isEventStream = false;
  let isEncoded = false;
  for (let index = 0; index < upstream.length; index += 2) {
    const name = upstream[index] ?? '';
    const value = upstream[index + 1] ?? '';
    // One look at a table for each field: most have a treatment, and a set for each of them would be asked.
    const treatment = TREATMENTS.get(name);
    if (treatment === 'left out') continue;
    if (treatment === 'length') {
      const length = readLength(value);
      if (length >= 0) contentLength = length;
      continue;
    }
    if (options?.has(name) === true) continue;
    if (treatment === undefined) {
      if (ownCors && name.startsWith('access-control-')) continue;
    } else if (treatment === 'type') {
      // The most common type is told by one comparison.
      isEventStream = value !== 'application/json' && EVENT_STREAM.test(value);
    } else if (treatment === 'coding') {
      if (value.toLowerCase() !== 'identity') isEncoded = true;
    } else if (isFiltered) {
      continue;
    }
    headers.push(name, value);
  }
  return { headers, contentLength, isEventStream: isEventStream && !isEncoded };
}
