/** What the official SDK clients do to get a token, as far as the page that a user would have to see. */
import {
  Client as Client2,
  StreamableHTTPClientTransport as Transport2,
  discoverAuthorizationServerMetadata as discoverServer2,
  discoverOAuthProtectedResourceMetadata as discoverResource2,
} from '@modelcontextprotocol/client';
import {
  discoverAuthorizationServerMetadata as discoverServer1,
  discoverOAuthProtectedResourceMetadata as discoverResource1,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export interface OAuthClient {
  readonly name: string;
  /** The RFC 9728 document of an MCP URL. */
  discoverResource(
    url: string,
  ): Promise<{ resource: string; authorization_servers?: string[] | undefined }>;
  /** The RFC 8414 or OpenID Connect document of an authorization server's URL. */
  discoverServer(url: string): Promise<{ issuer: string; token_endpoint?: string } | undefined>;
  /** Connects without a token; resolves with the address that the user's browser would be sent to. */
  connectUntilRedirect(url: string): Promise<URL>;
}

const clientMetadata = {
  client_name: 'postern-test',
  redirect_uris: ['http://127.0.0.1:9/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

interface Registered {
  client_id: string;
  client_secret?: string;
  issuer?: string;
}

/** A provider that has nothing yet and remembers where the user was sent. */
function stubProvider() {
  let registered: Registered | undefined;
  let verifier = '';
  const state: { redirectedTo: URL | null } = { redirectedTo: null };
  const provider = {
    redirectUrl: 'http://127.0.0.1:9/callback',
    clientMetadata,
    clientInformation: () => registered,
    saveClientInformation: (information: Registered) => void (registered = information),
    tokens: () => undefined,
    saveTokens: () => undefined,
    redirectToAuthorization: (url: URL) => void (state.redirectedTo = url),
    saveCodeVerifier: (value: string) => void (verifier = value),
    codeVerifier: () => verifier,
  };
  return { provider, state };
}

async function redirectOf(
  connect: (provider: ReturnType<typeof stubProvider>['provider']) => Promise<void>,
): Promise<URL> {
  const { provider, state } = stubProvider();
  const error: unknown = await connect(provider).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (state.redirectedTo === null)
    throw new Error('the client was not redirected', { cause: error });
  return state.redirectedTo;
}

export const oauthClients: readonly OAuthClient[] = [
  {
    name: 'SDK 1.x',
    discoverResource: (url) => discoverResource1(url),
    discoverServer: (url) => discoverServer1(url),
    connectUntilRedirect: (url) =>
      redirectOf((authProvider) =>
        new Client1({ name: 'test', version: '1' }).connect(
          new Transport1(new URL(url), { authProvider }),
        ),
      ),
  },
  {
    name: 'SDK 2.x',
    discoverResource: (url) => discoverResource2(url),
    discoverServer: (url) => discoverServer2(url),
    connectUntilRedirect: (url) =>
      redirectOf((authProvider) =>
        new Client2({ name: 'test', version: '1' }).connect(
          new Transport2(new URL(url), { authProvider }),
        ),
      ),
  },
];
