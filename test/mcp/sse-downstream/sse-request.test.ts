import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RequestHead } from '../../../src/accept/request-head.ts';
import { readSseRequest } from '../../../src/mcp/sse-downstream/sse-request.ts';

const EVENTS = ['accept', 'text/event-stream'];
const head = (method: string, target: string, headers: readonly string[] = []): RequestHead => {
  const [path = '', query = null] = target.split('?');
  return {
    method,
    path,
    query,
    headers: [...headers],
    host: 'gate',
    authority: 'gate',
    scheme: 'http',
    remoteAddress: '127.0.0.1',
    remotePort: 1,
  };
};
const post = (sessionId: string) => ({ kind: 'message', sessionId });
const stream = { kind: 'open' };

const rows: readonly [name: string, request: RequestHead, expected: object | null][] = [
  ['a GET for events', head('GET', '/sse', EVENTS), stream],
  ['below a prefix', head('GET', '/a/b/sse', EVENTS), stream],
  ['with a query', head('GET', '/sse?x=1', EVENTS), stream],
  ['events among others', head('GET', '/sse', ['accept', 'a/b, Text/Event-Stream;q=0.9']), stream],
  ['events in a second field', head('GET', '/sse', ['accept', 'a/b', ...EVENTS]), stream],
  ['no Accept', head('GET', '/sse'), null],
  ['another Accept', head('GET', '/sse', ['accept', '*/*']), null],
  ['a longer media type', head('GET', '/sse', ['accept', 'text/event-streams']), null],
  ['a session of Streamable HTTP', head('GET', '/sse', [...EVENTS, 'mcp-session-id', '']), null],
  ['another last segment', head('GET', '/xsse', EVENTS), null],
  ['another case', head('GET', '/SSE', EVENTS), null],
  ['a trailing slash', head('GET', '/sse/', EVENTS), null],
  ['HEAD', head('HEAD', '/sse', EVENTS), null],
  ['DELETE', head('DELETE', '/sse?sessionId=x', EVENTS), null],
  ['a POST to a session', head('POST', '/sse?sessionId=abc'), post('abc')],
  ['among other parameters', head('POST', '/sse?a=b&sessionId=abc&c'), post('abc')],
  ['an empty session', head('POST', '/sse?sessionId='), post('')],
  ['no value', head('POST', '/sse?sessionId'), post('')],
  ['two sessions', head('POST', '/sse?sessionId=a&sessionId=a'), post('')],
  ['a POST without query', head('POST', '/sse', EVENTS), null],
  ['a POST to another parameter', head('POST', '/sse?sessionid=a&xsessionId=b'), null],
  ['a POST to another path', head('POST', '/mcp?sessionId=abc'), null],
];

describe('HTTP+SSE or Streamable HTTP', () => {
  for (const [name, request, expected] of rows) {
    test(`${name}: ${request.method} ${request.path}`, () =>
      assert.deepEqual(readSseRequest(request), expected));
  }
});
