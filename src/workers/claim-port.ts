import { createServer, type Server } from 'node:net';

/** A port that this process has made its own. */
export interface PortClaim {
  release(): void;
}

/**
 * Makes sure that nobody else has a port, before workers open it. Workers share their sockets
 * (SO_REUSEPORT), and the kernel would let a second copy of the program share them too, unnoticed. So the
 * primary first binds the port alone, which fails if anybody has it, and for as long as it runs keeps an
 * abstract Unix socket with the port's name, which a second copy that starts at the same moment can't have.
 *
 * @returns the claim; an Error that names the address, the port and what to do where it is taken
 */
export async function claimPort(address: string, port: number): Promise<PortClaim | Error> {
  const guard = process.platform === 'linux' ? createServer() : null;
  // Nobody has a reason to connect; whoever does learns nothing.
  guard?.on('connection', (socket) => socket.destroy());
  if (guard !== null && !(await opens(guard, { path: `\0postern|${address}|${port}` }))) {
    return taken(address, port, 'another Postern');
  }
  const probe = createServer();
  const free = await opens(probe, { host: address, port, exclusive: true });
  await closed(probe);
  if (free) return { release: () => guard?.close() };
  guard?.close();
  return taken(address, port, 'another process');
}

function taken(address: string, port: number, who: string): Error {
  return new Error(
    `cannot listen on ${address} port ${port}: ${who} has it, or the address is not this machine's; ` +
      'stop the other one or choose another port',
  );
}

function opens(
  server: Server,
  where: { path: string } | { host: string; port: number; exclusive: true },
): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(where, () => resolve(true));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (server.listening) server.close(() => resolve());
    else resolve();
  });
}
