/** A client of generation 1 that answers what servers ask: elicitation, sampling and roots. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Scope } from '../harness/scope.ts';

export async function connectSdk1Answering(scope: Scope, url: string): Promise<Client> {
  const client = new Client(
    { name: 'postern-test-answering', version: '1.0.0' },
    { capabilities: { elicitation: {}, sampling: {}, roots: { listChanged: true } } },
  );
  client.setRequestHandler(ElicitRequestSchema, () => ({
    action: 'accept',
    content: { name: 'Alice' },
  }));
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    model: 'test',
    role: 'assistant',
    content: { type: 'text', text: 'sampled words' },
  }));
  client.setRequestHandler(ListRootsRequestSchema, () => ({
    roots: [{ uri: 'file:///home/test', name: 'test' }],
  }));
  scope.after(() => client.close());
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}
