/** The tools of the conformance fixture that need nothing of the client while they run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fromJsonSchema, ProtocolError } from '@modelcontextprotocol/server';
import type { JsonSchemaType, McpServer, ServerContext } from '@modelcontextprotocol/server';
import { dotPng, silentWav } from './samples.ts';

/** How a tool says that a list has changed: on the session's stream, or to those who listen. */
export interface ChangeNotifier {
  toolsChanged(): void;
  promptsChanged(): void;
}

const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });

const schema2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

const regional = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    count: { type: 'integer', 'x-mcp-header': 'Count' },
    query: { type: 'string' },
  },
  required: ['region'],
};

export function addTools(server: McpServer, changes: ChangeNotifier): void {
  const description = 'A fixture of the conformance suite';
  server.registerTool('test_simple_text', { description }, () => said('A simple text.'));
  server.registerTool('test_image_content', { description }, () => ({
    content: [{ type: 'image', data: dotPng, mimeType: 'image/png' }],
  }));
  server.registerTool('test_audio_content', { description }, () => ({
    content: [{ type: 'audio', data: silentWav, mimeType: 'audio/wav' }],
  }));
  server.registerTool('test_embedded_resource', { description }, () => ({
    content: [
      {
        type: 'resource',
        resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'Embedded.' },
      },
    ],
  }));
  server.registerTool('test_multiple_content_types', { description }, () => ({
    content: [
      { type: 'text', text: 'Several kinds of content:' },
      { type: 'image', data: dotPng, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: '{"kind":"mixed"}',
        },
      },
    ],
  }));
  server.registerTool('test_error_handling', { description }, () => {
    throw new Error('This tool always fails');
  });
  server.registerTool('test_tool_with_logging', { description }, async (context) => {
    for (const words of ['started', 'working', 'done']) {
      await log(context, words);
      await sleep(50);
    }
    return said('Logged three times.');
  });
  server.registerTool('test_logging_tool', { description }, async (context) => {
    await log(context, 'only for those who asked');
    return said('Logged once.');
  });
  server.registerTool('test_tool_with_progress', { description }, async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        const params = { progressToken, progress, total: 100 };
        await context.mcpReq.notify({ method: 'notifications/progress', params });
      }
      await sleep(30);
    }
    return said('Reported progress.');
  });
  server.registerTool('test_reconnection', { description }, async (context) => {
    context.http?.closeSSE?.();
    await sleep(100);
    return said('Sent after the stream was cut.');
  });
  server.registerTool('test_trigger_tool_change', { description }, () => {
    changes.toolsChanged();
    return said('The tools have changed.');
  });
  server.registerTool('test_trigger_prompt_change', { description }, () => {
    changes.promptsChanged();
    return said('The prompts have changed.');
  });
  server.registerTool(
    'json_schema_2020_12_tool',
    { description, inputSchema: fromJsonSchema(schema2020 as JsonSchemaType) },
    () => said('The arguments fit.'),
  );
  server.registerTool(
    'test_regional_query',
    { description, inputSchema: fromJsonSchema(regional as JsonSchemaType) },
    (given) => said(`Asked in ${JSON.stringify(given)}.`),
  );
}

/** The extension for tasks is not there but for this: no task is known. */
export function addTasks(server: McpServer): void {
  const params = fromJsonSchema<{ taskId: string }>({
    type: 'object',
    properties: { taskId: { type: 'string' } },
    required: ['taskId'],
  });
  server.server.setRequestHandler('tasks/get', { params }, () => {
    throw new ProtocolError(-32602, 'Task not found');
  });
}

/** Goes out only where the client asked for it: by logging/setLevel, or in `_meta` of the request itself. */
async function log(context: ServerContext, data: string): Promise<void> {
  // Deprecated with the revision that the suite still asks for it.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  await context.mcpReq.log('info', data);
}
