/** `mcp-remote`, the bridge that desktop clients start to reach a remote server over stdio. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Scope } from '../harness/scope.ts';
import { connectStdio, type Sdk1Client } from './sdk1-client.ts';

const script = fileURLToPath(new URL('node_modules/mcp-remote/dist/proxy.js', import.meta.url));

/** Connects an SDK client to `url` through mcp-remote. */
export function connectMcpRemote(scope: Scope, url: string, token?: string): Promise<Sdk1Client> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-mcp-remote-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  // The value holds a space, which some shells and this program's own option parser trip over; it
  // substitutes environment variables for that purpose.
  const header = token === undefined ? [] : ['--header', 'Authorization:${AUTH_HEADER}'];
  const env = {
    HOME: folder,
    MCP_REMOTE_CONFIG_DIR: folder,
    ...(token === undefined ? {} : { AUTH_HEADER: `Bearer ${token}` }),
  };
  const options = [url, '--transport', 'http-only', '--allow-http', ...header];
  return connectStdio(scope, script, options, env);
}
