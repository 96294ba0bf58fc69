import assert from 'node:assert/strict';
import { test } from 'node:test';

import { intersectHostnames } from '../../../src/resources/link/hostnames.ts';

const rows: [listener: string | null, route: string[], expected: string[] | null][] = [
  [null, [], []],
  [null, ['A.example.com'], ['a.example.com']],
  ['Mcp.example.com', [], ['mcp.example.com']],
  ['*.example.com', [], ['*.example.com']],
  ['mcp.example.com', ['mcp.example.com'], ['mcp.example.com']],
  ['mcp.example.com', ['other.example.com'], null],
  ['mcp.example.com', ['other.example.com', 'MCP.example.com'], ['mcp.example.com']],
  ['*.example.com', ['mcp.example.com'], ['mcp.example.com']],
  ['*.example.com', ['a.b.example.com'], ['a.b.example.com']],
  ['*.example.com', ['example.com'], null],
  ['*.example.com', ['badexample.com'], null],
  ['example.com', ['*.example.com'], null],
  ['mcp.example.com', ['*.example.com'], ['mcp.example.com']],
  ['*.example.com', ['*.example.com'], ['*.example.com']],
  ['*.example.com', ['*.mcp.example.com'], ['*.mcp.example.com']],
  ['*.mcp.example.com', ['*.example.com'], ['*.mcp.example.com']],
  ['*.one.com', ['*.two.com'], null],
  ['*.example.com', ['a.example.com', '*.example.com'], ['a.example.com', '*.example.com']],
  ['mcp.example.com', ['*.example.com', '*.com'], ['mcp.example.com']],
];

for (const [listener, route, expected] of rows) {
  test(`listener ${String(listener)} and route [${route.join(', ')}] have in common ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(intersectHostnames(listener, route), expected);
  });
}
