/** A small authorization server: key set, metadata and client registration, and it signs tokens. */
import type { Scope } from './scope.ts';
import { json, startFakeUpstream, type ReceivedRequest } from './fake-upstream.ts';
import { createIssuer } from './token-issuer.ts';

export interface FakeIssuer {
  readonly port: number;
  /** `http://127.0.0.1:PORT/realms/mcp` */
  readonly issuer: string;
  readonly requests: readonly ReceivedRequest[];
  /** `oauth`: metadata at the address of RFC 8414; `oidc`: only as OpenID Connect has it. */
  serves: 'oauth' | 'oidc' | 'none' | 'down' | 'another issuer';
  readonly sign: (claims?: Readonly<Record<string, unknown>>) => Promise<string>;
  /** How often metadata was asked for. */
  metadataFetches(): number;
}

export const jwksPath = '/realms/mcp/certs';

export async function startFakeIssuer(scope: Scope): Promise<FakeIssuer> {
  const upstream = await startFakeUpstream(scope);
  const issuer = `http://127.0.0.1:${upstream.port}/realms/mcp`;
  const tokens = await createIssuer({ issuer });
  const metadata = () => ({
    issuer: fake.serves === 'another issuer' ? 'http://evil.test' : issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    jwks_uri: `http://127.0.0.1:${upstream.port}${jwksPath}`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
  });
  const oauthPath = '/.well-known/oauth-authorization-server/realms/mcp';
  const oidcPath = '/realms/mcp/.well-known/openid-configuration';
  upstream.script = (request, response) => {
    const { url } = request;
    const respond = (value: unknown, status = 200) => json(value, status)(request, response);
    if (url === jwksPath) return respond({ keys: [tokens.jwk] });
    if (url.includes('.well-known') && fake.serves === 'down') return respond({}, 503);
    const served = fake.serves === 'oidc' ? oidcPath : oauthPath;
    if (url === served && fake.serves !== 'none') return respond(metadata());
    if (url === '/realms/mcp/register') {
      const asked = JSON.parse(request.body) as Record<string, unknown>;
      return respond({ ...asked, client_id: 'registered' }, 201);
    }
    return respond({ error: 'not_found' }, 404);
  };
  const fake: FakeIssuer = {
    port: upstream.port,
    issuer,
    requests: upstream.requests,
    serves: 'oauth',
    sign: (claims) => tokens.sign(claims),
    metadataFetches: () =>
      upstream.requests.filter(({ url }) => url.includes('.well-known')).length,
  };
  return fake;
}
