/** How many TCP connections a server on this machine has, as the kernel counts them. */
import { readFile } from 'node:fs/promises';

const ESTABLISHED = '01';

/** @param port of the server, on 127.0.0.1 */
export async function openConnections(port: number): Promise<number> {
  const table = await readFile('/proc/net/tcp', 'utf8');
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => address === local && state === ESTABLISHED).length;
}
