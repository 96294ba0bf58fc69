/** The prompts of the conformance fixture, and completion of their arguments. */
import { acceptedContent, fromJsonSchema, inputRequired } from '@modelcontextprotocol/server';
import type { McpServer } from '@modelcontextprotocol/server';
import { dotPng } from './samples.ts';

const strings = <Name extends string>(...names: Name[]) =>
  fromJsonSchema<Record<Name, string>>({
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    required: names,
  });
const user = <Content>(content: Content) => ({ role: 'user' as const, content });
const text = (words: string) => user({ type: 'text' as const, text: words });

export function addPrompts(server: McpServer): void {
  const description = 'A fixture of the conformance suite';
  server.registerPrompt('test_simple_prompt', { description }, () => ({
    messages: [text('A simple prompt.')],
  }));
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description, argsSchema: strings('arg1', 'arg2') },
    ({ arg1, arg2 }) => ({ messages: [text(`Given: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description, argsSchema: strings('resourceUri') },
    ({ resourceUri }) => ({
      messages: [
        user({
          type: 'resource',
          resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded in a prompt.' },
        }),
        text('Read what is embedded.'),
      ],
    }),
  );
  server.registerPrompt('test_prompt_with_image', { description }, () => ({
    messages: [
      user({ type: 'image', data: dotPng, mimeType: 'image/png' }),
      text('Look at the picture.'),
    ],
  }));
  server.registerPrompt('test_input_required_result_prompt', { description }, (context) => {
    const given = acceptedContent<{ context: string }>(
      context.mcpReq.inputResponses,
      'user_context',
    );
    if (given !== undefined) return { messages: [text(`In the context of ${given.context}`)] };
    return inputRequired({
      inputRequests: {
        user_context: inputRequired.elicit({
          message: 'In which context?',
          requestedSchema: {
            type: 'object',
            properties: { context: { type: 'string' } },
            required: ['context'],
          },
        }),
      },
    });
  });
  server.server.setRequestHandler('completion/complete', ({ params }) => ({
    completion: { values: [`${params.argument.value}-completed`], total: 1, hasMore: false },
  }));
}
