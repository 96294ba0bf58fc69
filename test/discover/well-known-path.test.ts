import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalisePath } from '../../src/accept/request-path.ts';
import { readWellKnownPath } from '../../src/discover/well-known-path.ts';

const rows: readonly [path: string, read: string | null][] = [
  ['/.well-known/oauth-protected-resource', 'protected-resource /'],
  ['/.well-known/oauth-protected-resource/', 'protected-resource /'],
  ['/.well-known/oauth-protected-resource/mcp', 'protected-resource /mcp'],
  ['/.well-known/oauth-protected-resource/team/mcp/', 'protected-resource /team/mcp'],
  ['/.well-known/oauth-authorization-server', 'authorization-server /'],
  ['/.well-known/oauth-authorization-server/mcp', 'authorization-server /mcp'],
  ['/.well-known/openid-configuration', 'authorization-server /'],
  ['/.well-known/openid-configuration/mcp', 'authorization-server /mcp'],
  ['/mcp/.well-known/openid-configuration', 'authorization-server /mcp appended'],
  ['/', null],
  ['/mcp', null],
  ['/.well-known', null],
  ['/.well-known/', null],
  ['/.well-known/oauth-protected-resources', null],
  ['/.well-known/oauth-protected-resource.json', null],
  ['/.WELL-KNOWN/oauth-protected-resource', null],
  ['/mcp/.well-known/oauth-protected-resource', null],
  ['/mcp/.well-known/openid-configuration/x', null],
];
for (const [path, read] of rows) {
  test(`${path} is ${read ?? 'no such path'}`, () => {
    const asked = readWellKnownPath(path);
    const text = asked && `${asked.document} ${asked.path}${asked.isAppended ? ' appended' : ''}`;
    assert.equal(text, read);
  });
}

test('whatever is read out of a path is a path in its one spelling itself', () => {
  const part = fc.constantFrom(
    ...['/', '.', '..', '%2e', '%2F', '//', 'mcp', ';', '.well-known', '?', '\u0000', '%00', 'a'],
    ...['/.well-known/oauth-protected-resource', '/.well-known/openid-configuration'],
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const normalised = normalisePath(`/${parts.join('')}`);
      if (!normalised.ok) return;
      const asked = readWellKnownPath(normalised.path);
      if (asked === null) return;
      const again = normalisePath(asked.path === '' ? '/' : asked.path);
      assert.ok(again.ok && (again.path === asked.path || asked.path === ''));
    }),
    { numRuns: 5000 },
  );
});
