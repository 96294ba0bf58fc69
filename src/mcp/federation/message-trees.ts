/** Where the names and ids of a target stand in its messages. */

import type { ValueTree } from '../find-values.ts';

/** Ties a message to a task (MCP 2025-11-25, Tasks). */
export const RELATED_TASK = 'io.modelcontextprotocol/related-task';

/** Ties a notification to a `subscriptions/listen` (MCP 2026-07-28). */
export const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

/**
 * What is found: `uri`, `task`: get the target's prefix; `token`, `id`, `requestId`: are sealed or opened; the others
 * only tell what the message is.
 */
export type MessageLabel =
  | 'uri'
  | 'tool'
  | 'task'
  | 'elicitation'
  | 'token'
  | 'id'
  | 'method'
  | 'requestId'
  | 'result'
  | 'error'
  | 'params uri'
  | 'params task'
  | 'params token'
  | 'subscription';

const value = (label: MessageLabel): ValueTree => ({ label });

/** MCP Apps: the resource that shows a tool. */
const UI: Readonly<Record<string, ValueTree>> = {
  ui: { members: { resourceUri: value('uri') } },
  'ui/resourceUri': value('uri'),
};
const RESULT_META: ValueTree = {
  members: { ...UI, [RELATED_TASK]: { members: { taskId: value('task') } } },
};
const CONTENT: Readonly<Record<string, ValueTree>> = {
  uri: value('uri'),
  resource: { members: { uri: value('uri') } },
  _meta: { members: UI },
};
const TASK: ValueTree = { members: { taskId: value('task') } };

const resultTrees: Readonly<Record<string, ValueTree>> = {
  call: {
    members: {
      content: { items: { members: CONTENT } },
      task: TASK,
      taskId: value('task'),
      _meta: RESULT_META,
    },
  },
  prompt: {
    members: {
      messages: { items: { members: { content: { members: CONTENT } } } },
      _meta: RESULT_META,
    },
  },
  promptBlocks: {
    members: {
      messages: { items: { members: { content: { items: { members: CONTENT } } } } },
    },
  },
  read: { members: { contents: { items: { members: CONTENT } }, _meta: RESULT_META } },
  task: {
    members: {
      content: { items: { members: CONTENT } },
      taskId: value('task'),
      result: { members: { content: { items: { members: CONTENT } } } },
      _meta: RESULT_META,
    },
  },
  other: { members: { _meta: RESULT_META } },
};

/** What stands in every message, whatever it answers. */
const ENVELOPE: Readonly<Record<string, ValueTree>> = {
  id: value('id'),
  method: value('method'),
  error: value('error'),
  params: {
    members: {
      uri: value('params uri'),
      requestId: value('requestId'),
      progressToken: value('token'),
      taskId: value('params task'),
      _meta: {
        members: {
          progressToken: value('params token'),
          [SUBSCRIPTION_ID]: value('subscription'),
          [RELATED_TASK]: { members: { taskId: value('task') } },
        },
      },
    },
  },
};

/** Finds the members of a message whose result is looked at as a whole. */
export const envelopeTree: ValueTree = { members: { ...ENVELOPE, result: value('result') } };

/**
 * Finds the ids by which a server tells that an elicitation is complete (MCP 2025-11-25, URL mode): in its request, in
 * the notification, and in the error that says what is needed first.
 */
export const elicitationTree: ValueTree = {
  members: {
    params: { members: { elicitationId: value('elicitation') } },
    error: {
      members: {
        data: {
          members: {
            elicitations: { items: { members: { elicitationId: value('elicitation') } } },
          },
        },
      },
    },
  },
};

/**
 * What to look for in the result of a request. One pass finds either an object or an array in one place, and the
 * content of a prompt's message may be both: hence the list.
 */
export function treesFor(method: string): readonly ValueTree[] {
  const results = resultNames(method).map(
    (name): ValueTree => resultTrees[name] ?? { members: {} },
  );
  return results.map((result, index) => ({
    members: index === 0 ? { ...ENVELOPE, result } : { result },
  }));
}

function resultNames(method: string): readonly string[] {
  switch (method) {
    case 'tools/call':
      return ['call'];
    case 'prompts/get':
      return ['prompt', 'promptBlocks'];
    case 'resources/read':
      return ['read'];
    default:
      return method.startsWith('tasks/') ? ['task'] : ['other'];
  }
}

/** What an item of a list is called by, and what it points to. `name`: of tools and prompts. */
export const itemTrees: Readonly<Record<string, ValueTree>> = {
  tools: { members: { name: { label: 'name' }, _meta: { members: UI } } },
  prompts: { members: { name: { label: 'name' }, _meta: { members: UI } } },
  resources: { members: { uri: { label: 'name' }, _meta: { members: UI } } },
  resourceTemplates: { members: { uriTemplate: { label: 'name' }, _meta: { members: UI } } },
  tasks: { members: { taskId: { label: 'name' } } },
};
