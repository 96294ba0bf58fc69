/** Names that denied objects have towards the upstream. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hideName, hideUri, restoreNames, type NamePlace } from '../../src/mcp/hidden-name.ts';
import { hideObject } from '../../src/mcp/hide-object.ts';
import type { SealBinding } from '../../src/mcp/seal-binding.ts';
import { createSealer } from '../../src/mcp/seal.ts';
import { call, modernCall, request } from './messages.ts';

const sealer = createSealer({ keys: [randomBytes(32)], clock: () => 0, lifetimeMs: 1 });
const alice: SealBinding = {
  owner: { kind: 'subject', issuer: 'i', subject: 'alice' },
  backend: 'default/mcp',
};
const bob: SealBinding = { ...alice, owner: { kind: 'subject', issuer: 'i', subject: 'bob' } };

const name = (text: string, binding = alice): string => {
  const hidden = hideName(sealer, binding, text);
  assert.ok(hidden !== null);
  return hidden;
};
const uri = (text: string): string => {
  const hidden = hideUri(sealer, alice, text);
  assert.ok(hidden !== null);
  return hidden;
};
const restore = (text: string, place: NamePlace = 'json'): string | null =>
  restoreNames(sealer, alice, Buffer.from(text), place)?.toString() ?? null;

describe('a hidden name', () => {
  test('is one of letters, digits and hyphens that shows nothing, the same each time', () => {
    assert.match(name('secret'), /^postern-n[A-Za-z0-9_-]{40,}$/);
    assert.equal(name('secret'), name('secret'));
    assert.notEqual(name('secret'), name('secret', bob));
    assert.equal(hideName(sealer, alice, ''), null);
    assert.equal(hideName(sealer, alice, 'x'.repeat(5000)), null);
  });

  test('comes back as what the client called it, wherever it stands', () => {
    const sent = 'a "b" \\ \u6f22';
    const hidden = name(sent);
    const written = JSON.stringify(sent).slice(1, -1);
    assert.equal(
      restore(`{"a":"Tool ${hidden} not found","b":["${hidden}${hidden}-x"]}`),
      `{"a":"Tool ${written} not found","b":["${written}${written}-x"]}`,
    );
    assert.equal(restore(`No ${hidden}.`, 'text'), `No ${sent}.`);
    assert.equal(restore(`No ${name('a b')}.`, 'field'), 'No a b.');
    assert.equal(restore(hidden, 'field'), `=?base64?${Buffer.from(sent).toString('base64')}?=`);
  });

  test('of another caller, a changed one and a made-up one stay', () => {
    const hidden = name('secret');
    for (const text of [
      name('secret', bob),
      `${hidden.slice(0, -3)}AAA`,
      hidden.slice(0, -1),
      'postern-',
      'postern-n',
      'postern-nzzz',
      'postern-x00aabcdefghij',
      'the gate is called postern-like',
    ]) {
      const octets = Buffer.from(text);
      assert.equal(restoreNames(sealer, alice, octets, 'json'), octets);
    }
  });

  test('comes back after any number of marks that nothing follows', () => {
    const marks = 'postern-'.repeat(500_000);
    const startedAt = performance.now();
    assert.equal(restore(marks + name('secret')), `${marks}secret`);
    assert.ok(performance.now() - startedAt < 2000);
  });

  test('is searched for a bounded number of times in one message, which is no answer then', () => {
    assert.equal(restore(name('x').repeat(64)), 'x'.repeat(64));
    assert.equal(restore(name('x').repeat(65)), null);
    const forged = 'postern-n018xxxxxxxx';
    assert.equal(restore(forged.repeat(63) + name('secret')), `${forged.repeat(63)}secret`);
    assert.equal(restore(forged.repeat(64) + name('secret')), null);
    const startedAt = performance.now();
    assert.equal(restore(forged.repeat(200_000)), null);
    assert.ok(performance.now() - startedAt < 2000);
  });

  test('random texts around random names come back', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 10 });
    fc.assert(
      fc.property(
        text,
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
        text,
        (before, sent, after) => {
          const value = (of: string) => JSON.stringify({ x: before + of + after });
          assert.deepEqual(JSON.parse(restore(value(name(sent))) ?? ''), {
            x: before + sent + after,
          });
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a hidden URI', () => {
  // What the client sends, and what a server that parses URIs makes of it.
  const rows: readonly (readonly [string, RegExp])[] = [
    ['test://secret/x', /^test:\/\/x\/postern-u/],
    ['TEST://a/b/../c', /^Test:\/\/x\/postern-u/],
    ['http://host.example', /^Http:\/\/x\/postern-u/],
    ['https://host.example/x?y#z', /^https:\/\/x\/postern-u/],
    ['file:///etc/passwd', /^file:\/\/\/postern-u/],
    ['urn:a:b', /^urn:postern-u/],
    ['URN:a:b', /^Urn:postern-u/],
    ['no uri', /^postern-u/],
    ['http://[', /^postern-u/],
    ['test://t/{id}', /^Test:\/\/x\/postern-u/],
  ];
  for (const [sent, form] of rows) {
    test(`is a URI where it was one, in the form it had: ${sent}`, () => {
      const hidden = uri(sent);
      assert.match(hidden, form);
      assert.equal(URL.canParse(hidden), URL.canParse(sent));
      assert.equal(restore(`{"a":"${hidden}"}`), JSON.stringify({ a: sent }));
      if (!URL.canParse(sent)) return;
      const canonical = new URL(sent).href;
      assert.equal(new URL(hidden).href === hidden, canonical === sent);
      for (const spelling of [new URL(hidden).href, new URL(hidden).href.replaceAll('/', '\\/')]) {
        assert.equal(restore(`{"a":"${spelling}"}`), JSON.stringify({ a: canonical }));
      }
    });
  }
});

describe('a denied request', () => {
  const same = (_kind: unknown, own: string): string => own;
  const hide = (body: object): { text: string; name: string; was: string } | null => {
    const was = JSON.stringify(body);
    const hidden = hideObject(sealer, alice, request(was), Buffer.from(was), same);
    return hidden === null ? null : { text: hidden.body.toString(), name: hidden.name, was };
  };
  const ref = { type: 'ref/prompt', name: 'secret' };
  const templateRef = { type: 'ref/resource', uri: 'test://t/{id}' };
  // prettier-ignore
  const rows: readonly [string, object, string, object][] = [
    ['a tool', call('tools/call', { name: 'secret', arguments: { a: 1 }, _meta: { progressToken: 1 } }), name('secret'), { name: '?', arguments: {}, _meta: { progressToken: 1 } }],
    ['a tool without arguments', call('tools/call', { x: 'secret', name: 'secret' }), name('secret'), { x: 'secret', name: '?' }],
    ['a tool with answers', call('tools/call', { name: 'secret', inputResponses: { a: 'b' }, requestState: 's' }), name('secret'), { name: '?', inputResponses: {}, requestState: 's' }],
    ['a prompt', call('prompts/get', { name: 'secret', arguments: { a: '1' } }), name('secret'), { name: '?', arguments: {} }],
    ['a resource', call('resources/read', { uri: 'test://secret' }), uri('test://secret'), { uri: '?' }],
    ['a subscription', call('resources/subscribe', { uri: 'test://secret' }), uri('test://secret'), { uri: '?' }],
    ['a completion', call('completion/complete', { ref, argument: { name: 'a', value: 'b' }, context: { arguments: { c: 'd' } } }), name('secret'), { ref: { ...ref, name: '?' }, argument: { name: '', value: '' }, context: {} }],
    ['a completion of a template', call('completion/complete', { ref: templateRef, argument: { name: 'a', value: 'b' } }), uri('test://t/{id}'), { ref: { ...templateRef, uri: '?' }, argument: { name: '', value: '' } }],
  ];
  for (const [title, body, hiddenName, params] of rows) {
    test(`asks for what nothing is called, and says nothing to it: ${title}`, () => {
      const hidden = hide(body);
      assert.ok(hidden !== null);
      assert.equal(hidden.name, hiddenName);
      const expected = JSON.parse(
        JSON.stringify({ ...body, params }).replace('"?"', JSON.stringify(hiddenName)),
      ) as object;
      assert.deepEqual(JSON.parse(hidden.text), expected);
    });
  }

  test('is found under escapes', () => {
    const text =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"n\\u0061me":"\\u0073ecret","arguments":{"a":"b"}}}';
    const hidden = hideObject(sealer, alice, request(text), Buffer.from(text), same);
    assert.equal(
      hidden?.body.toString(),
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"n\\u0061me":"${name('secret')}","arguments":{}}}`,
    );
  });

  test('stays denied where nothing single is named, or the name is too long', () => {
    for (const body of [
      call('vendor/x'),
      modernCall('subscriptions/listen', { notifications: { resourceSubscriptions: ['a:b'] } }),
      call('tasks/get', { taskId: 'x' }),
      call('tools/call', { name: '' }),
      call('resources/read', { uri: `test://${'x'.repeat(5000)}` }),
    ]) {
      assert.equal(hide(body), null);
    }
  });
});
