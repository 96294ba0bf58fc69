import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  maxEndpointLength,
  resolveEndpoint,
} from '../../../src/mcp/sse-upstream/resolve-endpoint.ts';

const stream = 'http://mcp.test:8080/base/sse';

describe('an endpoint of the same origin is resolved', () => {
  const rows: readonly [string, string][] = [
    ['/message?sessionId=1', '/message?sessionId=1'],
    ['message?sessionId=1', '/base/message?sessionId=1'],
    ['./message', '/base/message'],
    ['../message', '/message'],
    ['../../../message', '/message'],
    ['?sessionId=1', '/base/sse?sessionId=1'],
    ['http://mcp.test:8080/message', '/message'],
    ['HTTP://MCP.TEST:8080/message', '/message'],
    ['http://mcp.test:8080', '/'],
    ['//mcp.test:8080/message', '/message'],
    ['/message?u=http://evil.test/', '/message?u=http://evil.test/'],
    ['/a%0d%0ab', '/a%0d%0ab'],
  ];
  for (const [data, path] of rows) {
    test(data, () => assert.deepEqual(resolveEndpoint(data, stream), { path, problem: null }));
  }

  test('the port that a scheme has of its own may be named or not', () => {
    assert.equal(resolveEndpoint('https://a.test:443/m', 'https://a.test/sse').path, '/m');
    assert.equal(resolveEndpoint('https://a.test/m', 'https://a.test:443/sse').path, '/m');
  });
});

describe('an endpoint that leads anywhere else is refused', () => {
  const rows: readonly string[] = [
    '',
    '//evil.test/message',
    '///evil.test/message',
    '/\\evil.test/message',
    '\\\\evil.test\\message',
    'http:\\\\evil.test',
    'http://evil.test/message',
    'http://mcp.test/message',
    'http://mcp.test:8081/message',
    'http://mcp.test:8080.evil.test/message',
    'http://sub.mcp.test:8080/message',
    'https://mcp.test:8080/message',
    'http:message',
    'http:/message',
    'http:///evil.test/message',
    'http://user@mcp.test:8080/message',
    'http://user:password@mcp.test:8080/message',
    'http://mcp.test:8080@evil.test/message',
    'http://@mcp.test:8080@evil.test/',
    'ws://mcp.test:8080/message',
    'data:text/plain,x',
    'file:///etc/passwd',
    'javascript:1',
    'blob:http://mcp.test:8080/x',
    '/message#fragment',
    '#',
    '/message\r\nhost: evil.test',
    '/message\n',
    ' /message',
    '/mes sage',
    '/\t/evil.test',
    '/message\0',
    '/m\u00e9ssage',
    '/"quoted"',
    '/.//evil.test/message',
    'http://mcp.test:99999/',
    `${'./'.repeat(maxEndpointLength)}message`,
    `/${'x'.repeat(maxEndpointLength)}`,
    `http://mcp.test:8080/${'x'.repeat(maxEndpointLength)}`,
  ];
  for (const data of rows) {
    test(JSON.stringify(data.slice(0, 60)), () => {
      assert.equal(resolveEndpoint(data, stream).path, null);
    });
  }
});

test('whatever a server names, only its own origin is ever asked, with a lawful target', () => {
  const piece = fc.oneof(
    fc.constantFrom('/', '\\', '//', ':', '@', '#', '?', '.', '..', '%2f', '%5c', '\t', '\n', ' '),
    fc.constantFrom('http', 'https', 'evil.test', 'mcp.test', '8080', 'javascript', '[::1]'),
    fc.string({ maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const { path } = resolveEndpoint(pieces.join(''), stream);
      if (path === null) return;
      assert.match(path, /^\/(?!\/)[!-~]*$/);
      assert.ok(path.length <= maxEndpointLength && !path.includes('#') && !path.includes('\\'));
      assert.equal(new URL(path, stream).origin, 'http://mcp.test:8080');
    }),
    { numRuns: 5000 },
  );
});
