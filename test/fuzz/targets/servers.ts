/** What servers send, and the texts that the gate seals and reads again. */
import assert from 'node:assert/strict';
import { readWellKnownPath } from '../../../src/discover/well-known-path.ts';
import { parseRedisUrl } from '../../../src/limit/redis-url.ts';
import { namePrefix, splitName } from '../../../src/mcp/federation/names.ts';
import { readSession as readFederated } from '../../../src/mcp/federation/session-text.ts';
import { resolveEndpoint } from '../../../src/mcp/sse-upstream/resolve-endpoint.ts';
import {
  readSession as readSse,
  writeSession,
} from '../../../src/mcp/sse-upstream/session-text.ts';
import { readWhole } from '../../forward/http1/read-whole.ts';
import type { FuzzTarget } from '../target.ts';

const httpAnswer: FuzzTarget = {
  name: 'http-answer',
  seeds: [
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nx: y\r\n\r\n',
    'HTTP/1.1 103 x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nDate: x\r\nServer: y\r\nContent-Length: 2\r\n\r\n{}',
  ],
  dictionary: [
    ...['\r\n', '\n', '\r', ':', ' ', '\t', '\0', 'HTTP/1.1 ', '200', '100', 'content-length: '],
    ...['transfer-encoding: ', 'chunked', '0\r\n\r\n', 'fffffffff', '+2', ';', 'connection: close'],
  ],
  check(input) {
    const whole = readWhole(input, { closes: true });
    for (const pieceLength of [1, 7]) {
      const cut = readWhole(input, { closes: true, pieceLength });
      assert.deepEqual({ ...cut, fault: '' }, { ...whole, fault: '' }, 'however it is cut');
    }
    for (let index = 1; index < whole.headers.length; index += 2) {
      assert.doesNotMatch(whole.headers[index] ?? '', /[\r\n\0]/);
    }
  },
};

const STREAM = 'http://server.test:8080/sse';
const endpoint: FuzzTarget = {
  name: 'sse-endpoint',
  seeds: ['/message?sessionId=1', 'message', `http://server.test:8080/m`, '//evil.test/m', '?a'],
  dictionary: [
    '/',
    '\\',
    '@',
    ':',
    '//',
    'http:',
    'evil.test',
    '..',
    '%2f',
    '#',
    '?',
    '\t',
    '[::1]',
  ],
  check(input) {
    const { path } = resolveEndpoint(input, STREAM);
    if (path === null) return;
    assert.match(path, /^\/(?!\/)[!-~]*$/);
    assert.equal(new URL(path, STREAM).origin, new URL(STREAM).origin);
  },
};

const sseSession: FuzzTarget = {
  name: 'sse-session',
  seeds: [
    writeSession({
      uid: 'A'.repeat(22),
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} },
    }),
  ],
  dictionary: ['.', '"', '{', '}', 'A', '_', '-', '=', '\0'],
  check: (input) => void readSse(input),
};

const federatedSession: FuzzTarget = {
  name: 'federated-session',
  seeds: ['{"k":"a","t":{"x":["id","2025-11-25","",1]},"v":"2025-11-25","c":{},"i":{}}'],
  dictionary: ['"t"', '{', '}', '[', ']', 'null', '"__proto__"', ',', ':', '1e400', '"k":"b"'],
  check(input) {
    const session = readFederated(input);
    if (session !== null) assert.equal(typeof session.key, 'string');
  },
};

const prefixedName: FuzzTarget = {
  name: 'prefixed-name',
  seeds: ['target_tool', 'target+test://a', '_', 'a__b'],
  dictionary: ['_', '+', 'target', '://'],
  check(input) {
    for (const kind of ['tool', 'prompt', 'resource'] as const) {
      const at = splitName(kind, input);
      if (at !== null) assert.equal(namePrefix(kind, at.target) + at.name, input);
    }
  },
};

const wellKnown: FuzzTarget = {
  name: 'well-known-path',
  seeds: ['/.well-known/oauth-protected-resource/mcp', '/mcp/.well-known/openid-configuration'],
  dictionary: ['/', '.well-known', '..', '%2f', 'oauth-authorization-server', '//'],
  check(input) {
    if (readWellKnownPath(input) !== null) assert.ok(input.includes('/.well-known/'));
  },
};

const redisUrl: FuzzTarget = {
  name: 'redis-url',
  seeds: ['redis://user:secret@127.0.0.1:6379/0', 'rediss://a'],
  dictionary: ['redis:', '//', '@', ':', '/', 'secret'],
  check(input) {
    const parsed = parseRedisUrl(input);
    if (!parsed.ok && input.length > 20) assert.ok(!parsed.problem.includes(input));
  },
};

export const serverTargets: readonly FuzzTarget[] = [
  ...[httpAnswer, endpoint, sseSession, federatedSession, prefixedName, wellKnown, redisUrl],
];
