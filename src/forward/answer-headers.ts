import type { HeaderFields } from '../accept/request-head.ts';
import { connectionOptions, HOP_BY_HOP } from './hop-by-hop.ts';

const DIGITS = /^[0-9]{1,15}$/;

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

/** Fields about the exact octets of a body, which are wrong once something was taken out of it. */
const ABOUT_OCTETS: ReadonlySet<string> = new Set(['content-digest', 'etag', 'repr-digest']);

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
    if (name === 'content-length') {
      if (DIGITS.test(value)) contentLength = Number(value);
      continue;
    }
    if (
      HOP_BY_HOP.has(name) ||
      name === 'date' ||
      options?.has(name) === true ||
      (ownCors && name.startsWith('access-control-')) ||
      (isFiltered && ABOUT_OCTETS.has(name))
    ) {
      continue;
    }
    if (name === 'content-encoding' && value.toLowerCase() !== 'identity') isEncoded = true;
    if (name === 'content-type') isEventStream = /^text\/event-stream\s*(;|$)/i.test(value);
    headers.push(name, value);
  }
  return { headers, contentLength, isEventStream: isEventStream && !isEncoded };
}
