import type { HeaderFields } from '../accept/request-head.ts';
import type { RemoteKeysPlan, TargetPlan } from '../plan.ts';
import { parseUrl } from '../parse-url.ts';
import type { Bytes } from '../units.ts';
import { readJsonObject } from './json-object.ts';

/** The `keys` of a fetched set, or why there are none, in words for the log. */
export type KeySetAnswer =
  | { readonly jwks: readonly unknown[]; readonly problem?: undefined }
  | { readonly jwks: null; readonly problem: string };

/** Fetches a key set once. Never rejects; an aborted fetch settles soon. */
export type FetchKeySet = (plan: RemoteKeysPlan, signal: AbortSignal) => Promise<KeySetAnswer>;

export interface DialRequest {
  readonly method: 'GET';
  /** Path and query. */
  readonly path: string;
  /** For the Host header. */
  readonly authority: string;
  /** Name and value in turn. */
  readonly headers: HeaderFields;
}

export interface DialLimits {
  readonly maxBodyBytes: Bytes;
  readonly signal: AbortSignal;
}

export interface DialAnswer {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly body: Buffer;
}

/**
 * Sends one request to a target and reads the whole answer. Follows no redirect and decodes no content
 * coding. Rejects when the target can't be reached, its certificate is not accepted, the body is longer
 * than the limit, or the signal aborts; the error's message may stand in a log.
 */
export type Dial = (
  target: TargetPlan,
  request: DialRequest,
  limits: DialLimits,
) => Promise<DialAnswer>;

const defaultMaxBodyBytes = 512 * 1024;

/**
 * Makes the function that fetches key sets through `dial`: GET on the URL's path with the URL's host, at
 * the planned target. Only status 200 with a JWK Set (RFC 7517, section 5) counts.
 *
 * @param maxBodyBytes the longest answer to read, 512 KiB unless given
 */
export function createFetchKeySet(
  dial: Dial,
  maxBodyBytes: Bytes = defaultMaxBodyBytes,
): FetchKeySet {
  return async (plan, signal) => {
    const url = parseUrl(plan.url);
    if (url === null) return failed('the URL is not valid');
    let answer: DialAnswer;
    try {
      answer = await dial(
        plan.target,
        {
          method: 'GET',
          path: `${url.pathname}${url.search}`,
          authority: url.host,
          headers: ['accept', 'application/json, application/jwk-set+json'],
        },
        { maxBodyBytes, signal },
      );
    } catch (error) {
      return failed(
        `the fetch failed: ${error instanceof Error ? error.message : 'unknown error'}`,
      );
    }
    return readAnswer(answer, maxBodyBytes);
  };
}

function readAnswer(answer: DialAnswer, maxBodyBytes: Bytes): KeySetAnswer {
  if (answer.status >= 300 && answer.status < 400) {
    return failed(`the answer is a redirect (${answer.status}), which is not followed`);
  }
  if (answer.status !== 200) return failed(`the answer has status ${answer.status}`);
  if (answer.body.length > maxBodyBytes) return failed(`the answer is over ${maxBodyBytes} octets`);
  const reading = readJsonObject(answer.body);
  if (reading.members === null) {
    const isHtml = answer.body.subarray(0, 64).toString('latin1').trimStart().startsWith('<');
    return failed(`the answer is ${isHtml ? 'HTML or XML, not JSON' : reading.problem}`);
  }
  const { keys } = reading.members;
  return isList(keys) ? { jwks: keys } : failed('the answer has no list `keys`');
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function failed(problem: string): KeySetAnswer {
  return { jwks: null, problem };
}
