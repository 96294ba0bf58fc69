import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Below the range that systems take for outgoing connections (32768 on Linux), so that no connection of
// a test that runs at the same time can grab the port between the look and the use.
const FIRST = 20_000;
const COUNT = 12_000;

/** A file for each port that a test process of this machine has been given: its process id. */
const claims = join(tmpdir(), 'postern-test-ports');
const given = new Set<number>();

process.once('exit', () => {
  for (const port of given) rmSync(claimOf(port), { force: true });
});

/** A TCP port on 127.0.0.1 that nothing listens on, never given twice while this process runs, nor to another. */
export async function freePort(): Promise<number> {
  mkdirSync(claims, { recursive: true });
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (given.has(port) || !claim(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

function claim(port: number): boolean {
  try {
    writeFileSync(claimOf(port), String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    // One that was killed has left it: whoever comes next may have it.
    if (!isAlive(claimOf(port))) rmSync(claimOf(port), { force: true });
    return false;
  }
}

function isAlive(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    // Written a moment after it was made.
    if (pid === 0) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

const claimOf = (port: number): string => join(claims, String(port));

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    // Without exclusive: false and an address, this is refused wherever another process listens.
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
