/** The identity provider of a soak: signs tokens, serves their keys, rotates them, and has bad days. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createIssuer, type TokenIssuer } from '../../test/harness/token-issuer.ts';

export const ISSUER = 'https://soak.test';

export interface Identity {
  readonly jwksPort: number;
  /** What the key endpoint answers with. */
  mode: 'up' | 'down' | 'hang' | 'garbage';
  /** Tokens for callers that sign in once; renewed when their key is about to leave. */
  token(subject: string): string;
  /** A token that nobody has seen. */
  newToken(subject: string): Promise<string>;
  expiredToken(): Promise<string>;
  /** A token that names a published key and was signed with another. */
  forgedToken(): Promise<string>;
  /** Publishes a new key beside the one in use. */
  publishNext(): Promise<void>;
  /** Signs with the newest key from now on; the oldest one leaves at the next {@link publishNext}. */
  useNext(): Promise<void>;
  close(): Promise<void>;
}

export async function startIdentity(subjects: readonly string[]): Promise<Identity> {
  let count = 0;
  const newKey = (): Promise<TokenIssuer> =>
    createIssuer({ issuer: ISSUER, kid: `key-${count++}` });
  let signer = await newKey();
  let next = signer;
  let published: readonly TokenIssuer[] = [signer];
  const forger = await createIssuer({ issuer: ISSUER });
  const tokens = new Map<string, string>();
  const sign = (subject: string, claims: Readonly<Record<string, unknown>> = {}) =>
    signer.sign({ sub: subject, ...claims });
  const renew = async (): Promise<void> => {
    for (const subject of subjects) tokens.set(subject, await sign(subject));
  };
  await renew();

  const server = createServer((_request, response) => {
    if (identity.mode === 'hang') return;
    if (identity.mode === 'down') response.writeHead(503).end('down');
    else if (identity.mode === 'garbage') response.writeHead(200).end('<html>');
    else {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: published.map(({ jwk }) => jwk) }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const identity: Identity = {
    jwksPort: (server.address() as AddressInfo).port,
    mode: 'up',
    token: (subject) => tokens.get(subject) ?? '',
    newToken: (subject) => sign(subject, { jti: `${Date.now()}-${Math.random()}` }),
    expiredToken: () => sign('alice', { exp: Math.floor(Date.now() / 1000) - 3600 }),
    forgedToken: () => forger.sign({ sub: 'alice' }, { kid: signer.kid }),
    async publishNext() {
      next = await newKey();
      published = [signer, next];
    },
    async useNext() {
      signer = next;
      await renew();
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return identity;
}
