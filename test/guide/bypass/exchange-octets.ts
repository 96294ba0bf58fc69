import { connect } from 'node:net';

/** How long a side may be silent that has begun to answer: an open stream, or the end of several answers. */
const SILENCE_MS = 250;
/** How long until the first octet; the machine may be busy. */
const PATIENCE_MS = 2000;

/**
 * Writes octets to 127.0.0.1 and returns what comes back, until an answer is whole, the other side closes, or is
 * silent for long.
 *
 * @param isOneRequest false: more than one answer may come, so that only silence or a close ends it
 * @returns the answer, with its body taken out of its chunks
 */
export function exchangeOctets(
  port: number,
  octets: Uint8Array,
  isOneRequest = true,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(octets));
    let received = '';
    socket.setEncoding('latin1');
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.on('data', (text: string) => {
      received += text;
      socket.setTimeout(SILENCE_MS);
      if (isOneRequest && isWhole(received)) socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.once('close', () => resolve(unchunked(received)));
  });
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = text.slice(0, end).toLowerCase();
  // Some answers have no body, whatever their head says.
  if (/^http\/1\.1 (1\d\d|204|304) /.test(head)) return !head.startsWith('http/1.1 1');
  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
  if (length !== undefined) return text.length - end - 4 >= Number(length);
  return /\r\ntransfer-encoding: *chunked/.test(head) && text.endsWith('\r\n0\r\n\r\n');
}

/** What chunks cut apart is put together, so that a text can be found in it. */
function unchunked(text: string): string {
  return text.replaceAll(/\r\n[0-9a-f]+\r\n/gi, '');
}
