/** An identity provider's key endpoint that rotates, fails and counts as a test wants. */
import type { Scope } from './scope.ts';
import { json, startFakeUpstream } from './fake-upstream.ts';

export interface JwksServer {
  readonly port: number;
  readonly url: string;
  readonly fetches: number;
  /** What the endpoint serves from now on. */
  publish(...keys: readonly unknown[]): void;
  /** `down`: 503. `hang`: no answer at all. `garbage`: 200 with no key set. `up`: works again. */
  state: 'up' | 'down' | 'hang' | 'garbage';
}

export async function startJwksServer(
  scope: Scope,
  keys: readonly unknown[] = [],
  tls?: { readonly certPem: string; readonly keyPem: string },
): Promise<JwksServer> {
  let served = keys;
  const upstream = await startFakeUpstream(
    scope,
    (request, response) => {
      if (server.state === 'up') return json({ keys: served })(request, response);
      if (server.state === 'down') return json({ error: 'down' }, 503)(request, response);
      if (server.state === 'garbage') response.end('<html>');
    },
    tls,
  );
  const scheme = tls === undefined ? 'http' : 'https';
  const server: JwksServer = {
    port: upstream.port,
    url: `${scheme}://127.0.0.1:${upstream.port}/jwks.json`,
    state: 'up',
    get fetches() {
      return upstream.requests.length;
    },
    publish: (...newKeys) => void (served = newKeys),
  };
  return server;
}
