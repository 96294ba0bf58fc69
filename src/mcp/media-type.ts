import { headerValue, type HeaderFields } from '../accept/request-head.ts';

/**
 * The media type of a body that is not encoded, in lower case and without parameters (RFC 9110, 8.3.1).
 *
 * @param headers with names in lower case
 * @returns the empty string where there is none, or where the body has a content coding
 */
export function mediaTypeOf(headers: HeaderFields): string {
  const coding = headerValue(headers, 'content-encoding') ?? 'identity';
  if (coding.trim().toLowerCase() !== 'identity') return '';
  return (headerValue(headers, 'content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
