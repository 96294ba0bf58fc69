import type { Socket } from 'node:net';
import type { HeaderFields } from '../../accept/request-head.ts';
import type { Bytes } from '../../units.ts';
import type { UpstreamRequest } from '../upstream.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** A field value (RFC 9110, 5.5), one character for each octet. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** A path and query in visible ASCII (RFC 9112, 3.2.1). */
const TARGET = /^\/[!-~]*$/;

/** Fields that belong to the connection or frame the message: this file alone writes them. */
const OURS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Methods whose content has a meaning, so that the lack of it is said too (RFC 9110, 8.6). */
const HAS_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** With a head of ordinary size this stays below the 16 KiB that Node writes without asking for memory. */
const MAX_TEXT_BYTES: Bytes = 8192;

/** Up to here it is cheaper to copy the body behind the head than to hand over two pieces. */
const MAX_COPIED_BYTES: Bytes = 65_536;

/**
 * Writes the head of a request in origin form (RFC 9112, 3.2.1), with a Content-Length of its own.
 *
 * @returns the text, one character for each octet; or `null` for a request that must not be sent: a method
 *   or field name that is no token, a path that is not visible ASCII, a value with a line break or a
 *   character beyond one octet, a field that frames the message, and CONNECT
 */
export function requestHead(request: UpstreamRequest): string | null {
  const { method, body } = request;
  const text = linesAgain(request);
  if (text === null) return null;
  if (body === null) return `${text}${HAS_CONTENT.has(method) ? 'content-length: 0\r\n' : ''}\r\n`;
  return `${text}content-length: ${body.length}\r\n\r\n`;
}

/** {@link linesOf}, which are the same for requests that share their fields. */
function linesAgain({ method, path, headers, written }: UpstreamRequest): string | null {
  if (written === undefined) return linesOf(method, path, headers);
  if (written.headers === headers && written.path === path && written.method === method) {
    return written.text;
  }
  const text = linesOf(method, path, headers);
  if (text === null) return null;
  written.method = method;
  written.path = path;
  written.headers = headers;
  // As one piece: a text made of many is put together anew each time that something is written behind it.
  written.text = Buffer.from(text, 'latin1').toString('latin1');
  return written.text;
}

function linesOf(method: string, path: string, headers: HeaderFields): string | null {
  if (!TARGET.test(path) || !TOKEN.test(method) || method === 'CONNECT') return null;
  let text = `${method} ${path} HTTP/1.1\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    if (!isSendable(name) || !VALUE.test(value)) return null;
    text += `${name}: ${value}\r\n`;
  }
  return text;
}

/** Names that were found sendable: there are few, and all of them come again and again. */
const sendable = new Set<string>();
const MOST_REMEMBERED = 512;
const LONGEST_REMEMBERED = 64;

/** Whether a name is a token and of no field that frames the message. */
function isSendable(name: string): boolean {
  if (sendable.has(name)) return true;
  if (!TOKEN.test(name) || OURS.has(name.toLowerCase())) return false;
  if (sendable.size < MOST_REMEMBERED && name.length <= LONGEST_REMEMBERED) sendable.add(name);
  return true;
}

/** Sends a request: one write, so that it leaves in one packet where it fits. */
export function writeRequest(socket: Socket, head: string, body: Buffer | null): void {
  if (body === null || body.length === 0) {
    socket.write(head, 'latin1');
    return;
  }
  if (body.length <= MAX_TEXT_BYTES) {
    // As one text: Node writes it from its stack, and no memory has to be found for the two.
    socket.write(head + body.toString('latin1'), 'latin1');
    return;
  }
  if (body.length > MAX_COPIED_BYTES) {
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(body);
    socket.uncork();
    return;
  }
  const whole = Buffer.allocUnsafe(head.length + body.length);
  whole.write(head, 0, 'latin1');
  whole.set(body, head.length);
  socket.write(whole);
}
