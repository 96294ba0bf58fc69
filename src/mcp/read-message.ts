import { isJsonObject, readJson, type JsonObject } from '../json/read-json.ts';
import type { JsonLimits } from '../json/scan-json.ts';
import { fault, methodNotFound, type MessageFault } from './fault.ts';
import { otherSpellingOf } from './member-spelling.ts';
import type { McpEra, McpMessage, McpResponse, RequestId } from './message.ts';
import { isOtherSpelling, legacyMethods } from './methods.ts';
import { CLIENT_CAPABILITIES, isModernVersion, PROTOCOL_VERSION } from './protocol-version.ts';
import { namesAnObject, readObject } from './read-object.ts';
import { RELATED_TASK } from './seal-task-ids.ts';

/** Enough for 4 MiB of table rows of twenty octets a value; bounds the time that a body takes. */
export const messageLimits: JsonLimits = Object.freeze({ maxDepth: 64, maxValues: 200_000 });

/** Longest id that is a string, in UTF-16 units; it comes back in answers. */
export const maxIdLength = 1024;

const METHOD = /^[!-~]{1,128}$/;
const VERSION = /^[!-~]{1,64}$/;

const MEMBERS: ReadonlySet<string> = new Set([
  'jsonrpc',
  'id',
  'method',
  'params',
  'result',
  'error',
]);
const NO_PARAMS: JsonObject = Object.freeze({});

const hasOtherSpellingInMeta = otherSpellingOf([
  PROTOCOL_VERSION,
  CLIENT_CAPABILITIES,
  RELATED_TASK,
]);
const hasOtherSpellingInRelated = otherSpellingOf(['taskId']);

/**
 * Reads the body of a POST as one MCP message (JSON-RPC 2.0 as MCP narrows it), and takes only what every server
 * must read in the same way.
 *
 * Refuses, with HTTP 400 and the id where the message is a request whose id could be read:
 * - -32700: octets that are not UTF-8, a byte order mark, anything that is not one JSON text;
 * - -32600: what {@link readJson} refuses besides; batches; members that JSON-RPC does not know; no `"jsonrpc":"2.0"`;
 *   an id that is not a string or an integer in plain writing within ±(2^53-1); a method beside a result or an
 *   error; a method that differs from a known one in case alone; a notification of a method that needs an id;
 * - -32602: `params` or a member that decides of a wrong type; a modern message without the `_meta` it needs;
 * - -32601, with HTTP 404: a modern request of a method that the modern revisions have done away with.
 *
 * A method that is not known is a request with no object; whoever decides may refuse it.
 */
export function readMessage(body: Uint8Array): McpMessage | MessageFault {
  const reading = readJson(body, messageLimits);
  const { problem } = reading;
  if (problem === 'not UTF-8' || problem === 'not JSON') {
    return fault(-32700, `Parse error: the body is ${problem}`, null);
  }
  if (problem !== null) return invalid(problem);
  const message = reading.value;
  if (Array.isArray(message)) return invalid('batches are not supported');
  if (!isJsonObject(message)) return invalid('not an object');
  for (const name in message) {
    if (!MEMBERS.has(name)) return invalid('a member that JSON-RPC does not know');
  }
  const { jsonrpc, id, method, result, error } = message;
  if (jsonrpc !== '2.0') return invalid('jsonrpc is not "2.0"');
  if (id !== undefined && !(reading.hasPlainTopNumbers && isRequestId(id))) {
    return invalid('the id is not a string or an integer of a lawful form');
  }
  if (method === undefined) return readResponse(message, id);
  if (result !== undefined || error !== undefined) return invalid('a method and a result');
  return readCall(method, message.params, id ?? null);
}

function readResponse(
  { params, result, error }: JsonObject,
  id: RequestId | undefined,
): McpResponse | MessageFault {
  if (params !== undefined) return invalid('params without a method');
  if (result !== undefined) {
    if (error !== undefined) return invalid('a result and an error');
    if (id === undefined) return invalid('a result without an id');
    if (!isJsonObject(result)) return invalid('the result is not an object');
    return { kind: 'response', era: 'legacy', id, isError: false };
  }
  if (!isJsonObject(error)) return invalid('no method, no result and no error');
  return { kind: 'response', era: 'legacy', id: id ?? null, isError: true };
}

/** @param id `null` for a notification */
function readCall(
  method: unknown,
  params: unknown,
  id: RequestId | null,
): McpMessage | MessageFault {
  if (typeof method !== 'string' || !METHOD.test(method)) {
    return invalid('the method is not a string of a lawful form', id);
  }
  if (isOtherSpelling(method)) {
    return invalid('the method differs from a known one in case alone', id);
  }
  if (id === null && namesAnObject(method)) return invalid('this method needs an id');
  if (params !== undefined && !isJsonObject(params)) return invalidParams('not an object', id);
  const given = params ?? NO_PARAMS;
  const version = readProtocolVersion(method, given, id);
  if (version !== null && typeof version === 'object') return version;
  if (version !== null && isModernVersion(version) && legacyMethods.has(method)) {
    return methodNotFound(id);
  }
  const object = readObject(method, given);
  if (typeof object === 'string') return invalidParams(object, id);

  const era: McpEra = version === null ? 'legacy' : 'modern';
  return id === null
    ? {
        kind: 'notification',
        era,
        id,
        method,
        params: given,
        protocolVersion: version,
        object: null,
      }
    : { kind: 'request', era, id, method, params: given, protocolVersion: version, object };
}

/** @returns the version that the message claims in `_meta`, or `null` for a legacy message */
function readProtocolVersion(
  method: string,
  { _meta: meta }: JsonObject,
  id: RequestId | null,
): string | MessageFault | null {
  if (meta === undefined) return null;
  if (!isJsonObject(meta)) return invalidParams('_meta is not an object', id);
  if (hasOtherSpellingInMeta(meta)) {
    return invalidParams('a member of _meta differs from a known one in case alone', id);
  }
  const related = meta[RELATED_TASK];
  if (related !== undefined && (!isJsonObject(related) || hasOtherSpellingInRelated(related))) {
    return invalidParams('the related task in _meta is not an object of a lawful form', id);
  }
  const version = meta[PROTOCOL_VERSION];
  if (version === undefined) return null;
  if (typeof version !== 'string' || !VERSION.test(version)) {
    return invalidParams('the protocol version in _meta is not a string of a lawful form', id);
  }
  // Servers disagree on the era of such a message; no client sends it.
  if (method === 'initialize' && !isModernVersion(version)) {
    return invalidParams('initialize with a legacy version in _meta', id);
  }
  if (id !== null && !isJsonObject(meta[CLIENT_CAPABILITIES])) {
    return invalidParams('_meta has no object of client capabilities', id);
  }
  return version;
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === 'string' ? id.length <= maxIdLength : typeof id === 'number';
}

function invalid(problem: string, id: RequestId | null = null): MessageFault {
  return fault(-32600, `Invalid Request: ${problem}`, id);
}

function invalidParams(problem: string, id: RequestId | null): MessageFault {
  return fault(-32602, `Invalid params: ${problem}`, id);
}
