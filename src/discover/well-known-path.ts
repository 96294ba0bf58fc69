/** Which document a client asks for. */
export interface WellKnownRequest {
  readonly document: 'protected-resource' | 'authorization-server';
  /** The MCP path it is about, without a trailing slash; `/` for the document of the whole host. */
  readonly path: string;
  /** Whether the path stands before the well-known part: such a path may be any server's own. */
  readonly isAppended: boolean;
}

const inserted = [
  { start: '/.well-known/oauth-protected-resource', document: 'protected-resource' },
  { start: '/.well-known/oauth-authorization-server', document: 'authorization-server' },
  { start: '/.well-known/openid-configuration', document: 'authorization-server' },
] as const;

const appended = '/.well-known/openid-configuration';

/**
 * Recognises the paths that MCP clients ask for metadata: the well-known part before the MCP path (RFC 9728,
 * 3.1; RFC 8414, 3.1) or alone, and for OpenID Connect also behind it (OpenID Connect Discovery 1.0, 4).
 *
 * @param path in its one spelling (see `request-path.ts`), so without dot segments and empty segments
 * @returns `null` for any other path
 */
export function readWellKnownPath(path: string): WellKnownRequest | null {
  if (!path.includes('/.well-known/')) return null;
  for (const { start, document } of inserted) {
    if (!path.startsWith(start)) continue;
    const rest = path.slice(start.length);
    if (rest !== '' && !rest.startsWith('/')) continue;
    return { document, path: withoutTrailingSlash(rest), isAppended: false };
  }
  if (!path.endsWith(appended)) return null;
  const before = path.slice(0, -appended.length);
  return { document: 'authorization-server', path: before, isAppended: true };
}

function withoutTrailingSlash(path: string): string {
  const cut = path.endsWith('/') ? path.slice(0, -1) : path;
  return cut === '' ? '/' : cut;
}
