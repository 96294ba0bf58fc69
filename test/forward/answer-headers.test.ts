import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerHeaders } from '../../src/forward/answer-headers.ts';

const rows: readonly [string, string[], boolean, string[], number | null, boolean][] = [
  [
    'others pass in their order',
    ['b', '1', 'a', '2', 'set-cookie', 'x', 'set-cookie', 'y'],
    false,
    ['b', '1', 'a', '2', 'set-cookie', 'x', 'set-cookie', 'y'],
    null,
    false,
  ],
  [
    'framing and Date are ours',
    ['content-length', '12', 'transfer-encoding', 'chunked', 'date', 'x'],
    false,
    [],
    12,
    false,
  ],
  [
    'hop-by-hop fields and those that Connection names do not pass',
    [
      'connection',
      'close',
      'connection',
      'x-hop',
      'x-hop',
      '1',
      'keep-alive',
      'x',
      'upgrade',
      'h2c',
      'te',
      'x',
      'proxy-authenticate',
      'x',
    ],
    false,
    [],
    null,
    false,
  ],
  [
    'CORS fields of the upstream pass where the route has none',
    ['access-control-allow-origin', '*'],
    false,
    ['access-control-allow-origin', '*'],
    null,
    false,
  ],
  [
    'and do not where the route answers CORS itself',
    ['access-control-allow-origin', '*', 'access-control-expose-headers', 'a'],
    true,
    [],
    null,
    false,
  ],
  [
    'an event stream is known',
    ['content-type', 'text/event-stream'],
    false,
    ['content-type', 'text/event-stream'],
    null,
    true,
  ],
  [
    'also with parameters and capitals',
    ['content-type', 'Text/Event-Stream ; charset=utf-8'],
    false,
    ['content-type', 'Text/Event-Stream ; charset=utf-8'],
    null,
    true,
  ],
  [
    'but not one that is compressed',
    ['content-type', 'text/event-stream', 'content-encoding', 'gzip'],
    false,
    ['content-type', 'text/event-stream', 'content-encoding', 'gzip'],
    null,
    false,
  ],
  [
    'also where the coding comes first',
    ['content-encoding', 'br', 'content-type', 'text/event-stream'],
    false,
    ['content-encoding', 'br', 'content-type', 'text/event-stream'],
    null,
    false,
  ],
  [
    'identity is no coding',
    ['content-encoding', 'Identity', 'content-type', 'text/event-stream'],
    false,
    ['content-encoding', 'Identity', 'content-type', 'text/event-stream'],
    null,
    true,
  ],
  [
    'nor another type that begins the same',
    ['content-type', 'text/event-streams'],
    false,
    ['content-type', 'text/event-streams'],
    null,
    false,
  ],
  ['values are passed octet by octet', ['a', 'caf\u00e9'], false, ['a', 'caf\u00e9'], null, false],
];
for (const [name, upstream, ownCors, headers, contentLength, isEventStream] of rows) {
  test(name, () =>
    assert.deepEqual(answerHeaders(upstream, ownCors), { headers, contentLength, isEventStream }),
  );
}

test('of a filtered answer no field speaks of the octets it had', () => {
  const upstream = ['etag', '"1"', 'content-digest', 'sha-256=:x:', 'repr-digest', 'y', 'a', '1'];
  assert.deepEqual(answerHeaders(upstream, false, true).headers, ['a', '1']);
  assert.deepEqual(answerHeaders(upstream, false).headers, upstream);
});
