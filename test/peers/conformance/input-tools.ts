/** The tools of the conformance fixture that ask the client for something before they answer. */
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  fromJsonSchema,
  inputRequired,
  inputResponse,
} from '@modelcontextprotocol/server';
import type {
  CallToolResult,
  ClientCapabilities,
  InputRequiredResult,
  InputRequests,
  McpServer,
  ServerContext,
} from '@modelcontextprotocol/server';

/** Seals what a tool wants to be told again on the next round. */
export const stateCodec = createRequestStateCodec<{ readonly round: number }>({
  key: 'a key for the conformance fixture alone',
});

const said = (text: string): CallToolResult => ({ content: [{ type: 'text', text }] });
type Properties = Parameters<typeof inputRequired.elicit>[0]['requestedSchema'];

const askName = ask('What is your name?', { name: { type: 'string' } });
const askConsent = ask('Do you agree?', { ok: { type: 'boolean' } });

/** A form in which every field is required. */
function ask(message: string, properties: Record<string, unknown>) {
  const requestedSchema = { type: 'object', properties, required: Object.keys(properties) };
  return inputRequired.elicit({ message, requestedSchema: requestedSchema as Properties });
}

function sample(text: string, maxTokens = 50) {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens,
  });
}

/** Asks once, and answers when every question has an answer. */
function once(
  inputRequests: InputRequests,
  finish: (context: ServerContext) => CallToolResult,
): (context: ServerContext) => CallToolResult | InputRequiredResult {
  return (context) =>
    Object.keys(inputRequests).every((key) => isAnswered(context, key))
      ? finish(context)
      : inputRequired({ inputRequests });
}

function isAnswered({ mcpReq }: ServerContext, key: string): boolean {
  const answer = mcpReq.inputResponses?.[key];
  return typeof answer === 'object' && answer !== null;
}

/** What the client of a modern request says that it can do. */
function declaredBy({ mcpReq }: ServerContext): ClientCapabilities | undefined {
  const envelope: Readonly<Record<string, unknown>> | undefined = mcpReq.envelope;
  return envelope?.[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined;
}

/** As {@link once}, with sealed state besides. */
function withState(
  inputRequests: InputRequests,
  finish: string,
): (context: ServerContext) => Promise<CallToolResult | InputRequiredResult> {
  return async (context) => {
    const state = context.mcpReq.requestState<{ round: number }>();
    if (state?.round === 1 && Object.keys(inputRequests).every((key) => isAnswered(context, key))) {
      return said(finish);
    }
    return inputRequired({ inputRequests, requestState: await stateCodec.mint({ round: 1 }) });
  };
}

const choices = ['one', 'two', 'three'];
const titled = choices.map((value) => ({ const: value, title: `Choice ${value}` }));
const enums = {
  untitledSingle: { type: 'string', enum: choices },
  titledSingle: { type: 'string', oneOf: titled },
  legacyEnum: { type: 'string', enum: choices, enumNames: ['One', 'Two', 'Three'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: choices } },
  titledMulti: { type: 'array', items: { anyOf: titled } },
};
const defaults = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
};

const oneString = <Name extends string>(name: Name) =>
  fromJsonSchema<Record<Name, string>>({
    type: 'object',
    properties: { [name]: { type: 'string' } },
    required: [name],
  });

export function addInputTools(server: McpServer): void {
  const description = 'A fixture of the conformance suite';
  const add = (
    name: string,
    run: (
      context: ServerContext,
    ) => CallToolResult | InputRequiredResult | Promise<CallToolResult | InputRequiredResult>,
  ) => server.registerTool(name, { description }, run);

  server.registerTool(
    'test_sampling',
    { description, inputSchema: oneString('prompt') },
    ({ prompt }, context) =>
      once({ answer: sample(prompt, 100) }, () => said('The model has answered.'))(context),
  );
  server.registerTool(
    'test_elicitation',
    { description, inputSchema: oneString('message') },
    ({ message }, context) => {
      const form = ask(message, { username: { type: 'string' }, email: { type: 'string' } });
      return once({ form }, () => said('The user has answered.'))(context);
    },
  );
  add(
    'test_elicitation_sep1034_defaults',
    once({ form: ask('Change what is wrong', defaults) }, () => said('Answered.')),
  );
  add(
    'test_elicitation_sep1330_enums',
    once({ form: ask('Choose', enums) }, () => said('Answered.')),
  );
  add('test_streaming_elicitation', (context) =>
    once({ user_name: askName }, () => said('Streamed.'))(context),
  );
  // The SDK itself refuses what the client has not declared.
  add('test_missing_capability', (context) =>
    once({ answer: sample('Anything') }, () => said('The client can sample.'))(context),
  );

  add(
    'test_input_required_result_elicitation',
    once({ user_name: askName }, ({ mcpReq }) => {
      const given = acceptedContent<{ name: string }>(mcpReq.inputResponses, 'user_name');
      return said(`Hello, ${given?.name ?? 'you'}!`);
    }),
  );
  add(
    'test_input_required_result_sampling',
    once({ capital_question: sample('What is the capital of France?', 100) }, ({ mcpReq }) =>
      said(JSON.stringify(inputResponse(mcpReq.inputResponses, 'capital_question'))),
    ),
  );
  add(
    'test_input_required_result_list_roots',
    once({ client_roots: inputRequired.listRoots() }, ({ mcpReq }) =>
      said(JSON.stringify(inputResponse(mcpReq.inputResponses, 'client_roots'))),
    ),
  );
  add('test_input_required_result_request_state', withState({ confirm: askConsent }, 'state-ok'));
  add('test_input_required_result_tampered_state', withState({ confirm: askConsent }, 'state-ok'));
  add(
    'test_input_required_result_multiple_inputs',
    withState(
      {
        user_name: askName,
        greeting: sample('Write a greeting'),
        client_roots: inputRequired.listRoots(),
      },
      'All three have been answered.',
    ),
  );
  add('test_input_required_result_multi_round', async (context) => {
    const round = context.mcpReq.requestState<{ round: number }>()?.round ?? 0;
    if (round === 2 && isAnswered(context, 'step2')) return said('Two rounds were enough.');
    if (round === 1 && isAnswered(context, 'step1')) {
      const step2 = ask('Your favourite colour?', { color: { type: 'string' } });
      return inputRequired({
        inputRequests: { step2 },
        requestState: await stateCodec.mint({ round: 2 }),
      });
    }
    return inputRequired({
      inputRequests: { step1: askName },
      requestState: await stateCodec.mint({ round: 1 }),
    });
  });
  add('test_input_required_result_capabilities', (context) => {
    const declared = declaredBy(context);
    const inputRequests: InputRequests = {
      ...(declared?.sampling === undefined ? {} : { sampled: sample('Anything') }),
      ...(declared?.elicitation === undefined ? {} : { asked: askName }),
    };
    return once(inputRequests, () => said('Nothing more is needed.'))(context);
  });
}
