/**
 * Attempts to get at what a caller may not have, as octets on the wire: no HTTP client stands between that would
 * put a probe into order.
 */

/** Where a probe goes, and as whom. */
export interface Aim {
  readonly path: string;
  readonly token: string;
  /** The caller's own session at the server, where it has one. */
  readonly session: string | null;
}

/** What a probe is after; the plain request for it shows that it can be had. */
export type Prey = 'tool' | 'prompt' | 'resource' | 'completion' | 'subscription' | 'list';

export interface Probe {
  readonly name: string;
  readonly prey: Prey;
  octets(aim: Aim): Uint8Array;
  /** Whether it is, or could be taken for, more than one request; default false. */
  readonly isMany?: boolean;
}

export type Field = readonly [name: string, value: string];

export type Framing = (body: Uint8Array) => { fields: readonly Field[]; octets: Uint8Array };

export interface Post {
  readonly method?: string;
  /** Behind the path: a query, most often. */
  readonly pathEnd?: string;
  readonly path?: (path: string) => string;
  readonly version?: string;
  /** Instead of `content-type: application/json`. */
  readonly contentType?: readonly string[];
  /** Added. */
  readonly headers?: readonly Field[];
  readonly body: string | Uint8Array;
  /** How the body is framed. Default: its length. */
  readonly framing?: Framing;
  /** Whether the caller's session is named; default true. */
  readonly session?: boolean;
  /** Default: close. */
  readonly connection?: string;
}

export const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

export function byLength(body: Uint8Array): { fields: readonly Field[]; octets: Uint8Array } {
  return { fields: [['content-length', String(body.length)]], octets: body };
}

/** A request in HTTP/1.1. */
export function request(aim: Aim, post: Post): Uint8Array {
  const body = typeof post.body === 'string' ? bytes(post.body) : post.body;
  const framed = (post.framing ?? byLength)(body);
  const path = post.path?.(aim.path) ?? `${aim.path}${post.pathEnd ?? ''}`;
  const session: Field[] =
    aim.session === null || post.session === false ? [] : [['mcp-session-id', aim.session]];
  const fields: readonly Field[] = [
    ['host', '127.0.0.1'],
    ['authorization', `Bearer ${aim.token}`],
    ['accept', 'application/json, text/event-stream'],
    ...(post.contentType ?? ['application/json']).map((type): Field => ['content-type', type]),
    ['connection', post.connection ?? 'close'],
    ...session,
    ...framed.fields,
    ...(post.headers ?? []),
  ];
  const lines = [
    `${post.method ?? 'POST'} ${path} ${post.version ?? 'HTTP/1.1'}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), framed.octets]);
}

/** One probe that is one request. */
export function probe(name: string, prey: Prey, post: Post): Probe {
  return { name, prey, octets: (aim) => request(aim, post) };
}
