/**
 * Loaded into every process and thread of a gate (`NODE_OPTIONS=--import`), so that the gate itself needs no
 * hook: in a thread, the check of a signature ends the thread where the token's claims say so.
 *
 * - `thread: 'exits'`: `process.exit()`, which in a thread ends the thread alone
 * - `thread: 'throws'`: an exception that nobody catches
 * - `once`: path of a file; nothing happens when it is there already
 */
import crypto from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread, MessagePort } from 'node:worker_threads';

if (!isMainThread) {
  const { verify } = crypto;
  crypto.verify = (digest, data, key, signature) => {
    const { thread, once } = claimsOf(data);
    if (thread !== undefined && isFirst(once)) {
      if (thread === 'exits') process.exit(1);
      // The thread is to end before it can tell an outcome, however soon that is known.
      sayNothingMore();
      queueMicrotask(() => {
        throw new Error('the end of this thread');
      });
      return false;
    }
    return verify(digest, data, key, signature);
  };
  syncBuiltinESMExports();
}

/** Of what a thread says only that is left which Node.js says itself, such as what it ended of. */
function sayNothingMore() {
  const { postMessage } = MessagePort.prototype;
  MessagePort.prototype.postMessage = function (message, ...rest) {
    if (message?.type !== undefined) postMessage.call(this, message, ...rest);
  };
}

/** @param {Uint8Array} data what was signed: header and payload of a compact JWS (RFC 7515, 7.1) */
function claimsOf(data) {
  const payload = Buffer.from(data).toString('latin1').split('.')[1] ?? '';
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
}

/** @param {string | undefined} file */
function isFirst(file) {
  if (file === undefined) return true;
  try {
    writeFileSync(file, '', { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}
