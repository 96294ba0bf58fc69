/** An SDK 1.x client that answers what servers ask of it: sampling, elicitation, roots. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Scope } from '../harness/scope.ts';

export interface AnsweringClient {
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport;
  /** The methods that the server has asked for. */
  readonly asked: readonly string[];
}

export async function connectAnsweringClient(
  scope: Scope,
  url: string,
  token?: string,
): Promise<AnsweringClient> {
  const client = new Client(
    { name: 'postern-test-answering', version: '1.0.0' },
    { capabilities: { sampling: {}, elicitation: {}, roots: {} } },
  );
  const asked: string[] = [];
  client.setRequestHandler(CreateMessageRequestSchema, ({ method }) => {
    asked.push(method);
    return {
      model: 'none',
      role: 'assistant' as const,
      content: { type: 'text' as const, text: 'sampled by the test' },
    };
  });
  client.setRequestHandler(ElicitRequestSchema, ({ method }) => {
    asked.push(method);
    return { action: 'accept' as const, content: { name: 'Ada of the test' } };
  });
  client.setRequestHandler(ListRootsRequestSchema, ({ method }) => {
    asked.push(method);
    return { roots: [{ uri: 'file:///root-of-the-test', name: 'root of the test' }] };
  });
  const requestInit = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit });
  scope.after(() => client.close());
  await client.connect(transport);
  return { client, transport, asked };
}
