/** A request for a target of the other era than its client's. */

import { findValues } from '../../find-values.ts';
import type { McpRequest, RequestId } from '../../message.ts';
import { isModernVersion } from '../../protocol-version.ts';
import { splice, type Edit } from '../../splice.ts';
import { cutMembers } from './cut-members.ts';
import { modernMeta } from '../open-target.ts';
import type { ExpectedId } from '../rewrite-message.ts';
import type { RewrittenCall } from '../rewrite-call.ts';
import type { ClientParams, TargetSession } from '../session-text.ts';

export interface AdaptedCall {
  readonly body: Buffer;
  readonly expected: ExpectedId;
  /** Makes of the target's response the one that the client understands. */
  readonly readResponse: (message: Buffer) => Buffer | null;
}

const REQUEST = {
  members: { id: { label: 'id' }, params: { label: 'params' } },
};
const META = { members: { params: { members: { _meta: { label: 'meta' } } } } };
const RESULT = { members: { result: { label: 'result' } } };

/** Members that only modern clients know (MCP 2026-07-28). */
const MODERN_MEMBERS = ['resultType', 'ttlMs', 'cacheScope'];
/** What modern servers are told in `_meta`, and others need not know. */
const MODERN_META = [
  'io.modelcontextprotocol/protocolVersion',
  'io.modelcontextprotocol/clientCapabilities',
  'io.modelcontextprotocol/clientInfo',
];

/**
 * Makes of a rewritten request the one that its target understands.
 *
 * @param ownId the id that the request goes under, or `null` for the client's own
 * @param input members for the params that answer what the target wanted to know; empty on the first try
 */
export function adaptCall(
  request: McpRequest,
  { body }: RewrittenCall,
  session: TargetSession,
  ownId: RequestId | null,
  client: ClientParams,
  input: string,
): AdaptedCall {
  const isModernTarget = isModernVersion(session.version);
  const expected = { id: ownId ?? request.id, clientRaw: null };
  if (isModernTarget === (request.era === 'modern')) {
    return { body, expected, readResponse: (message) => message };
  }
  if (isModernTarget) {
    const asked = addMeta(
      cutMembers(body, ['params', '_meta'], MODERN_META),
      modernMeta(session.version, client),
    );
    const { text, clientRaw } = withId(asked, ownId);
    return {
      body: input === '' ? text : addToParams(text, input),
      expected: { id: expected.id, clientRaw },
      readResponse: (message) => cutMembers(message, ['result'], MODERN_MEMBERS),
    };
  }
  const bare = cutMembers(body, ['params', '_meta'], MODERN_META);
  const { text, clientRaw } = withId(bare, ownId);
  const cached = request.method === 'resources/read' ? ',"ttlMs":0,"cacheScope":"private"' : '';
  return {
    body: text,
    expected: { id: expected.id, clientRaw },
    readResponse: (message) =>
      addToResult(
        cutMembers(message, ['result'], MODERN_MEMBERS),
        `"resultType":"complete"${cached}`,
      ),
  };
}

/** Puts another id in, and keeps the client's. */
function withId(
  body: Buffer,
  id: RequestId | null,
): { readonly text: Buffer; readonly clientRaw: string | null } {
  if (id === null) return { text: body, clientRaw: null };
  const found = findValues(body, REQUEST);
  const value = typeof found === 'number' ? undefined : found.find(({ label }) => label === 'id');
  if (value === undefined) return { text: body, clientRaw: null };
  const clientRaw = body.toString('utf8', value.start, value.end);
  const edit = { start: value.start, end: value.end, text: JSON.stringify(id) };
  return { text: splice(body, [edit]), clientRaw };
}

/** Puts the members of `meta` into `params._meta`, in front of those that are there. */
function addMeta(body: Buffer, meta: string): Buffer {
  const inMeta = findValues(body, META);
  const [own] = typeof inMeta === 'number' ? [] : inMeta;
  if (own !== undefined) return splice(body, [insertMembers(body, own.start, meta.slice(1, -1))]);
  return addToParams(body, `"_meta":${meta}`);
}

function addToParams(body: Buffer, members: string): Buffer {
  const found = findValues(body, REQUEST);
  const params =
    typeof found === 'number' ? undefined : found.find(({ label }) => label === 'params');
  if (params === undefined) return body;
  return splice(body, [insertMembers(body, params.start, members)]);
}

function addToResult(message: Buffer, members: string): Buffer {
  const found = findValues(message, RESULT);
  const [result] = typeof found === 'number' ? [] : found;
  if (result === undefined || message[result.start] !== 0x7b) return message;
  return splice(message, [insertMembers(message, result.start, members)]);
}

/** @param objectStart index of the opening brace */
function insertMembers(text: Buffer, objectStart: number, members: string): Edit {
  const isEmpty = /^\{\s*\}/.test(text.toString('latin1', objectStart, objectStart + 64));
  const at = objectStart + 1;
  return { start: at, end: at, text: isEmpty ? members : `${members},` };
}
