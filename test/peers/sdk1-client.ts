/** A client of the MCP TypeScript SDK, generation 1: sessions, revisions up to 2025-11-25. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { Scope } from '../harness/scope.ts';

export type Sdk1Client = Client;

/** Connects over Streamable HTTP, with a bearer token if one is given. */
export function connectSdk1(scope: Scope, url: string, token?: string): Promise<Sdk1Client> {
  const requestInit = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit });
  return connect(scope, transport);
}

/** Connects to a program that speaks MCP on stdin and stdout. */
export function connectStdio(
  scope: Scope,
  script: string,
  options: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Sdk1Client> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [script, ...options],
    env: { PATH: process.env.PATH ?? '', ...env },
    stderr: 'ignore',
  });
  return connect(scope, transport);
}

async function connect(scope: Scope, transport: Transport): Promise<Sdk1Client> {
  const client = new Client({ name: 'postern-test-sdk1', version: '1.0.0' });
  scope.after(() => client.close());
  await client.connect(transport);
  return client;
}

/** Calls a tool as a task and follows it. @returns what became of it, step by step */
export async function callToolAsTask(
  scope: Scope,
  url: string,
  token: string,
  params: { name: string; arguments: Record<string, unknown> },
): Promise<string[]> {
  const client = await connectSdk1(scope, url, token);
  // The client learns from the list which tools may run as tasks.
  await client.listTools();
  const steps: string[] = [];
  const stream = client.experimental.tasks.callToolStream(params, CallToolResultSchema, {
    task: { ttl: 60_000, pollInterval: 50 },
  });
  for await (const { type } of stream) steps.push(type);
  return steps;
}
