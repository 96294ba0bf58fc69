/** The MCP Inspector on its command line: `npx @modelcontextprotocol/inspector --cli URL ...`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithScope, type Scope } from '../harness/scope.ts';

const inspector = fileURLToPath(
  new URL(
    'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
    import.meta.url,
  ),
);

export interface InspectorRun {
  /** 0: fine; 3: refused (401, 403); 1, 4, 5: other failures. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the Inspector once against `url`, for example with `['--method', 'tools/list']`. */
export async function runInspector(
  scope: Scope,
  url: string,
  token: string | undefined,
  options: readonly string[],
  transport: 'http' | 'sse' = 'http',
): Promise<InspectorRun> {
  // It keeps files in the home directory; it gets one of its own.
  const home = mkdtempSync(join(tmpdir(), 'postern-inspector-'));
  scope.after(() => rmSync(home, { recursive: true, force: true }));
  const child = spawn(
    process.execPath,
    [
      ...[inspector, '--cli', url, '--transport', transport, '--stored-auth-only'],
      ...(token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`]),
      ...[...options, '--format', 'json'],
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: home, MCP_INSPECTOR_SECRET_STORE: 'memory' },
    },
  );
  endWithScope(scope, child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exitCode, stdout, stderr };
}
