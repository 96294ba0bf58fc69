import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { failureReason } from '../../../src/mcp/federation/failure-reason.ts';

const rows = [
  ['no answer within 300 ms', 'timeout'],
  ['UPSTREAM_TIMEOUT: no answer within 300 ms', 'timeout'],
  ['UPSTREAM_UNREACHABLE: ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:1', 'unreachable'],
  ['UPSTREAM_ANSWER_UNREADABLE: not UTF-8', 'unreadable'],
  ['UPSTREAM_PROTOCOL: the head is not one', 'unreadable'],
  ['its session expired twice', 'session_expired'],
  ['HTTP status 500', 'http_status'],
  ['JSON-RPC error -32603', 'jsonrpc_error'],
  ['its stream ended', 'stream_ended'],
  ['the client is gone', 'client_gone'],
  ['its list can not be read', 'unreadable'],
  ['initialize was answered without a protocol version', 'unreadable'],
] as const;
for (const [words, reason] of rows) {
  test(`${words}: ${reason}`, () => assert.equal(failureReason(words), reason));
}

test('whatever the words, the reason is one of a few', () => {
  const few = new Set<string>(rows.map(([, reason]) => reason));
  fc.assert(
    fc.property(fc.string(), (words) => assert.ok(few.has(failureReason(words)))),
    { interruptAfterTimeLimit: 1000 },
  );
});
