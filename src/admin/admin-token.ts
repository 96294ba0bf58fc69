/** The token that the admin pages demand where the deployment has set one. */

import { createHash, timingSafeEqual } from 'node:crypto';

/** Where deployments put the token. */
export const ADMIN_TOKEN_VARIABLE = 'POSTERN_ADMIN_TOKEN';

/** What a person would make up has fewer characters. */
const minCharacters = 24;
const maxCharacters = 4096;
/** `token68` of RFC 9110, 11.2. */
const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Tells whether the value of an Authorization header carries the token. */
export type AdminTokenCheck = (authorization: string | undefined) => boolean;

export type AdminToken =
  /** `check` is `null` where no token is demanded. */
  | { readonly ok: true; readonly check: AdminTokenCheck | null }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads `POSTERN_ADMIN_TOKEN`. The token itself is not kept, and the comparison takes the same time whatever
 * was sent.
 *
 * @param text 24 to 4096 characters of RFC 9110's token68, as `openssl rand -hex 32` makes them; `undefined`
 *   where there is none
 * @returns the check, or one sentence about what is wrong, which does not contain the token
 */
export function parseAdminToken(text: string | undefined): AdminToken {
  if (text === undefined) return { ok: true, check: null };
  if (text.length < minCharacters || text.length > maxCharacters || !TOKEN68.test(text)) {
    return {
      ok: false,
      problem: `${ADMIN_TOKEN_VARIABLE} must be ${minCharacters} to ${maxCharacters} letters, digits or -._~+/, for instance from: openssl rand -hex 32`,
    };
  }
  const wanted = digest(text);
  return {
    ok: true,
    check: (authorization) => {
      const [, given = ''] = /^Bearer +(\S{1,4096})$/i.exec(authorization ?? '') ?? [];
      return timingSafeEqual(digest(given), wanted);
    },
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
