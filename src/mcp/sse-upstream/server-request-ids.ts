/**
 * The ids of requests that a server sends to its client (sampling, elicitation, roots, ping), on their way
 * to the client and back. What the client sees is sealed and says to which connection of the server its
 * answer belongs, so that any worker can deliver it.
 */

import type { SealBinding } from '../seal-binding.ts';
import type { Sealer } from '../seal.ts';
import { maxIdLength } from '../message-limits.ts';
import type { Envelope, Token } from './envelope.ts';

export interface ServerRequestIds {
  /**
   * Replaces in a server's message what a client will send back: the id of a request, the progress token that it
   * asks with, and the id in a `notifications/cancelled`.
   *
   * @param endpoint where the client's answers go, path and query
   * @returns the message, or `null` where an id is too long to be replaced
   */
  conceal(message: Envelope, binding: SealBinding, endpoint: string): Buffer | null;
  /**
   * Puts back into a client's message what `conceal` replaced: the id of a response, or the token of a
   * `notifications/progress`.
   *
   * @returns the message as the server takes it and where it goes; `null` where the id was not made here for
   *   this owner, backend and target
   */
  restore(
    message: Envelope,
    binding: SealBinding,
  ): { readonly body: Buffer; readonly endpoint: string } | null;
}

/** Tells what is sealed here from what others seal as ids of requests. */
const FORM = 'sse-upstream';

/** @param target the name of the server: a Backend may have several */
export function createServerRequestIds(
  sealer: Pick<Sealer, 'sealLasting' | 'openLasting'>,
  target: string,
): ServerRequestIds {
  return {
    conceal(message, binding, endpoint) {
      const tokens =
        message.kind === 'request'
          ? [message.id, message.requestedProgress]
          : [message.method === 'notifications/cancelled' ? message.cancelledId : null];
      let body = message.text;
      for (const token of inReverse(tokens)) {
        const original = message.text.toString('utf8', token.start, token.end);
        const sealed = sealer.sealLasting(
          'request',
          binding,
          JSON.stringify([FORM, target, endpoint, original]),
        );
        if (sealed === null || sealed.length > maxIdLength) return null;
        body = splice(body, token, `"${sealed}"`);
      }
      return body;
    },

    restore(message, binding) {
      const token = message.kind === 'response' ? message.id : message.progressToken;
      if (token === null || typeof token.value !== 'string') return null;
      const opened = sealer.openLasting('request', binding, token.value);
      const route = opened === null ? null : readRoute(opened);
      if (route?.target !== target) return null;
      return { body: splice(message.text, token, route.original), endpoint: route.endpoint };
    },
  };
}

/** Reads what was sealed; `null` for an id of a request that something else of this gate has sealed. */
function readRoute(opened: string) {
  if (!opened.startsWith(`["${FORM}",`)) return null;
  const parts: unknown = JSON.parse(opened);
  if (!Array.isArray(parts) || parts.length !== 4) return null;
  const [, target, endpoint, original] = parts as readonly unknown[];
  if (typeof target !== 'string' || typeof endpoint !== 'string' || typeof original !== 'string') {
    return null;
  }
  return { target, endpoint, original };
}

/** The last in the text first, so that the places of the others stay right. */
function inReverse(tokens: readonly (Token | null)[]): readonly Token[] {
  return tokens.filter((token) => token !== null).sort((a, b) => b.start - a.start);
}

function splice(text: Buffer, { start, end }: Token, replacement: string): Buffer {
  return Buffer.concat([text.subarray(0, start), Buffer.from(replacement), text.subarray(end)]);
}
