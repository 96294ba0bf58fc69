/** Opens a port as a worker does and says so; lives until it is killed. */
import { listen } from '../../src/accept/listener.ts';

const [address = '', port = ''] = process.argv.slice(2);
listen({
  address,
  port: Number(port),
  certificates: null,
  onRequest: (response) => void response.end(''),
  onConnections: () => true,
});
process.send?.('listening');
