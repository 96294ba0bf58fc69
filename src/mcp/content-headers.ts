import { headerValue, type HeaderFields } from '../accept/request-head.ts';
import { unsupportedMediaType, type MessageFault } from './fault.ts';

/** RFC 9110, 8.3.1: type, subtype, then parameters, of which an empty one is allowed. */
const MEDIA_TYPE = /^([!#$%&'*+\-.^_`|~0-9a-z]+\/[!#$%&'*+\-.^_`|~0-9a-z]+)((?:[ \t]*;.*)?)$/i;
const PARAMETER =
  /[ \t]*;[ \t]*(?:([!#$%&'*+\-.^_`|~0-9a-z]+)=(?:([!#$%&'*+\-.^_`|~0-9a-z]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*/iy;

/**
 * Checks what the headers of a POST say of its body, which can be done before the body is there.
 *
 * Content-Type must be `application/json`, compared without regard to case (RFC 9110, 8.3.1); parameters are
 * allowed, but a charset other than UTF-8 (servers that honour it would read other text than the gate) is
 * refused, as is anything that is no media type. Content-Encoding must be absent or `identity`: what is
 * compressed cannot be read here.
 *
 * @param headers with each of the two at most once
 * @returns a fault with HTTP 415, or `null`
 */
export function checkContentHeaders(headers: HeaderFields): MessageFault | null {
  const contentType = headerValue(headers, 'content-type');
  if (contentType === undefined || !isJsonInUtf8(contentType)) {
    return unsupportedMediaType('Unsupported Media Type: Content-Type must be application/json');
  }
  const contentEncoding = headerValue(headers, 'content-encoding');
  if (contentEncoding !== undefined && contentEncoding.trim().toLowerCase() !== 'identity') {
    return unsupportedMediaType('Unsupported Media Type: no Content-Encoding is supported');
  }
  return null;
}

function isJsonInUtf8(contentType: string): boolean {
  if (contentType === 'application/json') return true;
  const match = MEDIA_TYPE.exec(contentType.trim());
  if (match?.[1]?.toLowerCase() !== 'application/json') return false;
  const parameters = match[2] ?? '';
  PARAMETER.lastIndex = 0;
  while (PARAMETER.lastIndex < parameters.length) {
    const parameter = PARAMETER.exec(parameters);
    if (parameter === null) return false;
    const [, name, token, quoted] = parameter;
    if (name?.toLowerCase() !== 'charset') continue;
    if ((token ?? quoted)?.toLowerCase() !== 'utf-8') return false;
  }
  return true;
}
