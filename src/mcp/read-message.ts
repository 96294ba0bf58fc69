import { isJsonObject, readJson, type JsonObject } from '../json/read-json.ts';
import { fault, invalidParams, methodNotFound, type MessageFault } from './fault.ts';
import type { McpEra, McpMessage, McpResponse, RequestId } from './message.ts';
import { maxIdLength, messageLimits } from './message-limits.ts';
import { isOtherSpelling, legacyMethods } from './methods.ts';
import { isModernVersion } from './protocol-version.ts';
import { readProtocolVersion } from './read-meta.ts';
import { namesAnObject, readObject } from './read-object.ts';
import { readPlainCall } from './read-plain-call.ts';

const METHOD = /^[!-~]{1,128}$/;

const MEMBERS: ReadonlySet<string> = new Set([
  'jsonrpc',
  'id',
  'method',
  'params',
  'result',
  'error',
]);
const NO_PARAMS: JsonObject = Object.freeze({});

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
  return readPlainCall(body) ?? readAnyMessage(body);
}

/** As {@link readMessage}, which asks it where it has no shorter way. */
export function readAnyMessage(body: Uint8Array): McpMessage | MessageFault {
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
  const { _meta: meta, task } = given;
  const version = readProtocolVersion(method, meta, id);
  if (version !== null && typeof version === 'object') return version;
  if (version !== null && isModernVersion(version) && legacyMethods.has(method)) {
    return methodNotFound(id);
  }
  const object = readObject(method, given);
  if (typeof object === 'string') return invalidParams(object, id);

  const era: McpEra = version === null ? 'legacy' : 'modern';
  const members = isJsonObject(meta) ? meta : null;
  // Every member by its name: to copy them from a common object takes several times as long.
  return id === null
    ? {
        kind: 'notification',
        era,
        id,
        method,
        params: given,
        meta: members,
        protocolVersion: version,
        object: null,
      }
    : {
        kind: 'request',
        era,
        id,
        method,
        params: given,
        meta: members,
        asksForTask: task !== undefined,
        protocolVersion: version,
        object,
      };
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === 'string' ? id.length <= maxIdLength : typeof id === 'number';
}

function invalid(problem: string, id: RequestId | null = null): MessageFault {
  return fault(-32600, `Invalid Request: ${problem}`, id);
}
