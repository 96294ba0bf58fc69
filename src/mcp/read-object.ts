import { parseUrl } from '../parse-url.ts';
import { isJsonObject, type JsonObject } from '../json/read-json.ts';
import { otherSpellingOf } from './member-spelling.ts';
import type { McpObject } from './message.ts';

/** What is wrong with the parameters of a request, in words that repeat nothing of them. */
export type ParamsProblem = string;

type Reader = (params: JsonObject) => McpObject | ParamsProblem;

/** Longest name of a tool or prompt, in UTF-16 units. */
export const maxNameLength = 1024;
/** Longest task id, in UTF-16 units: as long as a sealed one can be. */
export const maxTaskIdLength = 5600;
/** Longest URI, in UTF-16 units. */
export const maxUriLength = 16_384;
/** How many resources one `subscriptions/listen` may name. */
export const maxListenedResources = 1000;

/** C strings end at a NUL, and logs and headers at a line: a name with a control character has two readings. */
const CONTROL_CHARACTER = /[\0-\x1f\x7f]/;

const NO_ARGUMENTS: JsonObject = Object.freeze({});

/** By method. A method that is not here names nothing. */
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['tools/call', (params) => readNamed('tool', params)],
  ['prompts/get', (params) => readNamed('prompt', params)],
  ['resources/read', readResource],
  ['resources/subscribe', readResource],
  ['resources/unsubscribe', readResource],
  ['subscriptions/listen', readListenedResources],
  ['completion/complete', readCompletion],
  ['tasks/get', readTask],
  ['tasks/result', readTask],
  ['tasks/update', readTask],
  ['tasks/cancel', readTask],
]);

const hasOtherSpellingInParams = otherSpellingOf([
  '_meta',
  'argument',
  'arguments',
  'cursor',
  'name',
  'notifications',
  'ref',
  'task',
  'taskId',
  'uri',
]);
const hasOtherSpellingInFilter = otherSpellingOf(['resourceSubscriptions', 'taskIds']);
const hasOtherSpellingInRef = otherSpellingOf(['type', 'name', 'uri']);
const hasOtherSpellingInArgument = otherSpellingOf(['name', 'value']);

/** Whether requests of this method name an object, so that it can be sent as a request alone. */
export function namesAnObject(method: string): boolean {
  return readers.has(method);
}

/**
 * Reads what a request is about.
 *
 * Refuses members of a wrong type or beyond the bounds, names with control characters, and members that differ
 * from one that decides in nothing but case.
 *
 * @returns the object, `null` for a method that names none, or what is wrong
 */
export function readObject(method: string, params: JsonObject): McpObject | ParamsProblem | null {
  if (hasOtherSpellingInParams(params)) return 'a member differs from a known one in case alone';
  return readers.get(method)?.(params) ?? null;
}

function readNamed(type: 'tool' | 'prompt', params: JsonObject): McpObject | ParamsProblem {
  const { name } = params;
  if (!isName(name)) return 'name is not a string of a lawful form';
  const given = params.arguments;
  if (given !== undefined && !isJsonObject(given)) return 'arguments is not an object';
  return { type, name, arguments: given ?? NO_ARGUMENTS };
}

function readResource({ uri }: JsonObject): McpObject | ParamsProblem {
  if (!isUri(uri)) return 'uri is not a string of a lawful form';
  return { type: 'resource', uri, canonicalUri: canonicalUri(uri) };
}

function readListenedResources({ notifications }: JsonObject): McpObject | ParamsProblem {
  if (!isJsonObject(notifications)) return 'notifications is not an object';
  if (hasOtherSpellingInFilter(notifications)) {
    return 'a member differs from a known one in case alone';
  }
  const { resourceSubscriptions = [], taskIds = [] } = notifications;
  if (
    !Array.isArray(taskIds) ||
    taskIds.length > maxListenedResources ||
    !taskIds.every(isTaskId)
  ) {
    return 'taskIds is not an array of strings of a lawful form';
  }
  if (!Array.isArray(resourceSubscriptions)) return 'resourceSubscriptions is not an array';
  if (resourceSubscriptions.length > maxListenedResources) return 'too many resourceSubscriptions';
  const uris = new Set<string>();
  for (const uri of resourceSubscriptions as readonly unknown[]) {
    if (!isUri(uri)) return 'a resource subscription is not a string of a lawful form';
    uris.add(uri);
    uris.add(canonicalUri(uri));
  }
  return { type: 'resources', uris: [...uris] };
}

function readCompletion({ ref, argument }: JsonObject): McpObject | ParamsProblem {
  if (!isJsonObject(ref)) return 'ref is not an object';
  if (!isJsonObject(argument)) return 'argument is not an object';
  if (hasOtherSpellingInRef(ref) || hasOtherSpellingInArgument(argument)) {
    return 'a member differs from a known one in case alone';
  }
  const { name, value } = argument;
  if (typeof name !== 'string' || typeof value !== 'string') {
    return 'argument.name or argument.value is not a string';
  }
  switch (ref.type) {
    case 'ref/prompt':
      if (!isName(ref.name)) return 'ref.name is not a string of a lawful form';
      return {
        type: 'completion',
        ref: { type: 'prompt', name: ref.name },
        argument: { name, value },
      };
    case 'ref/resource':
      if (!isUri(ref.uri)) return 'ref.uri is not a string of a lawful form';
      return {
        type: 'completion',
        ref: { type: 'resource', uri: ref.uri },
        argument: { name, value },
      };
    default:
      return 'ref.type is not known';
  }
}

function readTask({ taskId }: JsonObject): McpObject | ParamsProblem {
  return isTaskId(taskId) ? { type: 'task', taskId } : 'taskId is not a string of a lawful form';
}

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length <= maxNameLength && !CONTROL_CHARACTER.test(value)
  );
}

function isTaskId(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length <= maxTaskIdLength && !CONTROL_CHARACTER.test(value)
  );
}

function isUri(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length <= maxUriLength && !CONTROL_CHARACTER.test(value)
  );
}

/**
 * A URI template (RFC 6570) as {@link McpResource.canonicalUri} is a URI: `TEST://a/b/../{id}` is `test://a/{id}`.
 *
 * @param template as sent
 */
export function canonicalTemplate(template: string): string {
  return canonicalUri(template).replaceAll('%7B', '{').replaceAll('%7D', '}');
}

/** A URI as servers read it that parse it before they compare it (WHATWG URL); what is none stays. */
export function canonicalUri(uri: string): string {
  return parseUrl(uri)?.href ?? uri;
}
