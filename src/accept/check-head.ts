import type { HeaderFields } from './request-head.ts';
import { Refusal } from '../errors.ts';
import type { Bytes } from '../units.ts';
import { createReadableValues } from './readable-values.ts';

/**
 * Fields that decide who the caller is, where the request goes or where its body ends. Two of one of
 * them could be read in two ways by the gate and the upstream, so a request may carry each once.
 */
const SINGLE_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'origin',
  'proxy-authorization',
  'transfer-encoding',
]);

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const METHOD = /^[A-Z][A-Z-]{0,31}$/;
/** Methods that mean something to the gate itself: a tunnel, and an echo of what it would send (RFC 9110, 9.3). */
const REFUSED_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);
/** ASCII only: `i` without `u` does not fold other letters. */
const CHUNKED = /^chunked$/i;
const DIGITS = /^[0-9]{1,15}$/;
const isReadable = createReadableValues();
/** Names that were found to be tokens: there are few, and all of them come again and again. */
const tokens = new Set<string>();
const MOST_REMEMBERED = 512;
const LONGEST_REMEMBERED = 64;
/** The colon, a space and the line's end. */
export const LINE_OVERHEAD_BYTES = 4;

export interface HeadLimits {
  /** Header fields of one request. */
  readonly maxHeaderFields: number;
  /** All header lines together. The native server holds only heads that come in pieces to its limit. */
  readonly maxHeaderBytes: Bytes;
  readonly maxBodyBytes: Bytes;
  /** Path and query together, characters. */
  readonly maxTargetBytes: Bytes;
}

export interface CheckedFraming {
  /** Whether a body follows (RFC 9112, 6.3). */
  readonly hasBody: boolean;
}

/**
 * Checks what must hold of any request before a stage looks at it. The native server
 * refuses a request with both Content-Length and Transfer-Encoding too.
 *
 * In order: method, number of fields, length of the target, size of all fields, names, values, repeated fields, transfer coding
 * (only `chunked`, RFC 9112, 6.1) and announced length, which must not both be there.
 *
 * @returns how the body is framed, or a refusal: REQUEST_INVALID, HEADERS_TOO_LARGE, BODY_TOO_LARGE
 */
export function checkHead(
  method: string,
  targetLength: number,
  headers: HeaderFields,
  limits: HeadLimits,
): CheckedFraming | Refusal {
  if (!METHOD.test(method)) return invalid('the method is not a registered-looking token');
  if (REFUSED_METHODS.has(method)) return invalid('the method is not for a gateway');
  if (headers.length / 2 > limits.maxHeaderFields) {
    return new Refusal('HEADERS_TOO_LARGE', {
      detail: `more than ${limits.maxHeaderFields} fields`,
    });
  }
  if (targetLength > limits.maxTargetBytes) {
    return new Refusal('TARGET_TOO_LONG', { detail: `over ${limits.maxTargetBytes} characters` });
  }
  let length: Bytes | null = null;
  let isChunked = false;
  let headerBytes = 0;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    headerBytes += name.length + value.length + LINE_OVERHEAD_BYTES;
    if (headerBytes > limits.maxHeaderBytes) {
      return new Refusal('HEADERS_TOO_LARGE', { detail: `over ${limits.maxHeaderBytes} octets` });
    }
    if (!isToken(name)) return invalid('a header name is not a token');
    if (!isReadable(value)) {
      return invalid('a header value has a control character or is not UTF-8');
    }
    if (SINGLE_FIELDS.has(name) && occursFrom(headers, name, index + 2)) {
      return invalid(`the ${name} header is there more than once`);
    }
    if (name === 'content-length') {
      const read = readLength(value, limits.maxBodyBytes);
      if (read instanceof Refusal) return read;
      length = read;
    } else if (name === 'transfer-encoding') {
      if (!CHUNKED.test(value)) return invalid('the transfer coding is not chunked');
      isChunked = true;
    }
  }
  if (isChunked && length !== null) return invalid('a length and a transfer coding');
  return { hasBody: isChunked || (length ?? 0) > 0 };
}

/**
 * Reads the value of Content-Length (RFC 9110, 8.6).
 *
 * @returns octets, or a refusal: REQUEST_INVALID, BODY_TOO_LARGE
 */
export function readLength(value: string, maxBodyBytes: Bytes): Bytes | Refusal {
  if (!DIGITS.test(value)) return invalid('Content-Length is not a number');
  const length = Number(value);
  if (length <= maxBodyBytes) return length;
  return new Refusal('BODY_TOO_LARGE', { detail: `over ${maxBodyBytes} octets` });
}

function isToken(name: string): boolean {
  if (tokens.has(name)) return true;
  if (!TOKEN.test(name)) return false;
  if (tokens.size < MOST_REMEMBERED && name.length <= LONGEST_REMEMBERED) tokens.add(name);
  return true;
}

function occursFrom(headers: HeaderFields, name: string, from: number): boolean {
  for (let index = from; index < headers.length; index += 2) {
    if (headers[index] === name) return true;
  }
  return false;
}

function invalid(detail: string): Refusal {
  return new Refusal('REQUEST_INVALID', { detail });
}
