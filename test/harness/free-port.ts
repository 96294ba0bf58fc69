import { createServer } from 'node:net';

// Below the range that systems take for outgoing connections (32768 on Linux), so that no connection of
// a test that runs at the same time can grab the port between the look and the use.
const FIRST = 20_000;
const COUNT = 12_000;

const given = new Set<number>();

/** A TCP port on 127.0.0.1 that nothing listens on, never the same twice in one process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

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
