import { parseUrl } from '../parse-url.ts';

/** Holds the URL, credentials included: never a command-line option, which every user of the machine can read. */
export const REDIS_URL_VARIABLE = 'POSTERN_REDIS_URL';

/**
 * Reads the variable.
 *
 * @returns the URL, `null` where there is none, or what is wrong, without a word of the URL
 */
export function parseRedisUrl(
  text: string | undefined,
): { readonly ok: true; readonly url: string | null } | { readonly ok: false; problem: string } {
  if (text === undefined || text === '') return { ok: true, url: null };
  const url = parseUrl(text);
  if ((url?.protocol === 'redis:' || url?.protocol === 'rediss:') && url.hostname !== '') {
    return { ok: true, url: text };
  }
  const form = 'redis://[user:password@]host[:port][/database] or rediss://...';
  return { ok: false, problem: `${REDIS_URL_VARIABLE} must be a URL of the form ${form}` };
}
