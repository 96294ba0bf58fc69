/** A client of the MCP TypeScript SDK, generation 2: asks for the stateless revision first, then falls back. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Scope } from '../harness/scope.ts';

export type Sdk2Client = Client;

export async function connectSdk2(scope: Scope, url: string, token?: string): Promise<Sdk2Client> {
  const client = new Client(
    { name: 'postern-test-sdk2', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  );
  const requestInit = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
  scope.after(() => client.close());
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  return client;
}
