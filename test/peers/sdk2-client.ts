/**
 * A client of the MCP TypeScript SDK, generation 2. In the mode `auto` it asks for the stateless revision first,
 * then falls back.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Scope } from '../harness/scope.ts';

export type Sdk2Client = Client;

export async function connectSdk2(
  scope: Scope,
  url: string,
  token?: string,
  mode: 'auto' | 'legacy' = 'auto',
): Promise<Sdk2Client> {
  const client = new Client(
    { name: 'postern-test-sdk2', version: '1.0.0' },
    { versionNegotiation: { mode } },
  );
  const requestInit = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
  scope.after(() => client.close());
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  return client;
}
