import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { expandTemplate } from '../../src/mcp/expand-template.ts';
import { completionVisibility, filterCompletion } from '../../src/mcp/filter-completion.ts';
import { call, request } from './messages.ts';

describe('a template', () => {
  const values: Readonly<Record<string, string>> = {
    a: 'x y/z',
    b: 'é',
    empty: '',
    half: '\ud800',
  };
  // prettier-ignore
  const rows: readonly (readonly [string, string | null])[] = [
    ['test://a', 'test://a'],
    ['test://{a}', 'test://x%20y%2Fz'],
    ['test://{+a}', 'test://x%20y/z'],
    ['test:/{/a}', 'test://x%20y%2Fz'],
    ['test://x{.b}{#a}', 'test://x.%C3%A9#x%20y/z'],
    ['test://{a}/{b}', 'test://x%20y%2Fz/%C3%A9'],
    ['test://{empty}x', 'test://x'],
    ['test://{unknown}', null],
    ['test://{half}', null],
    ['test://{a,b}', null],
    ['test://{a*}', null],
    ['test://{a:3}', null],
    ['test://{?a}', null],
    ['test://{a}}', null],
    [`test://${'x'.repeat(2100)}{a}`, null],
  ];
  for (const [template, uri] of rows) {
    test(`${template.slice(0, 40)} makes ${String(uri)}`, () => {
      const made = expandTemplate(template, (name) => values[name]);
      assert.equal(made, uri);
    });
  }
});

const visibility = (uri: string, seen: readonly string[], context?: object) => {
  const ref = { type: 'ref/resource', uri };
  const argument = { name: 'id', value: '' };
  const message = request(
    JSON.stringify(call('completion/complete', { ref, argument, ...(context && { context }) })),
  );
  const isVisible = completionVisibility(message, (kind, name) => {
    assert.equal(kind, 'resources');
    return seen.includes(name);
  });
  assert.ok(isVisible !== null);
  return isVisible;
};

describe('a value of a completion', () => {
  test('is hidden where it makes a URI that is hidden', () => {
    const isVisible = visibility('test://{id}', ['test://a%20b']);
    assert.deepEqual(['a b', 'secret'].map(isVisible), [true, false]);
  });

  test('is hidden where it is such a URI', () => {
    const isVisible = visibility('test://{id,x}', ['test://a']);
    assert.deepEqual(['test://a', 'test://secret', 'x'].map(isVisible), [true, false, true]);
  });

  test('is decided on with what the client has said of the other variables', () => {
    const context = { arguments: { dir: 'pub', toString: 1 } };
    const isVisible = visibility('test://{dir}/{id}', ['test://pub/a'], context);
    assert.deepEqual(['a', 'b'].map(isVisible), [true, false]);
    assert.equal(visibility('test://{dir}/{id}', [])('b'), true);
    assert.equal(visibility('test://{toString}/{id}', [], context)('b'), true);
  });

  test('of a prompt is hidden where it is such a URI', () => {
    const argument = { name: 'id', value: '' };
    const ref = { type: 'ref/prompt', name: 'x' };
    const message = request(JSON.stringify(call('completion/complete', { ref, argument })));
    const isVisible = completionVisibility(message, (_kind, name) => name === 'test://a');
    assert.deepEqual(
      ['test://a', 'test://secret', 'x'].map((value) => isVisible?.(value)),
      [true, false, true],
    );
  });

  test('of no completion is none', () => {
    const message = request(JSON.stringify(call('resources/read', { uri: 'test://x' })));
    assert.equal(
      completionVisibility(message, () => false),
      null,
    );
  });
});

describe('the answer to a completion', () => {
  const filter = (text: string): string | null =>
    filterCompletion(Buffer.from(text), (value) => !value.startsWith('secret'))?.toString() ?? null;
  const answer = (completion: string) =>
    `{"jsonrpc":"2.0", "id":1,"result":{"completion":${completion},"x":1.0}}`;

  // prettier-ignore
  const rows: readonly (readonly [string, string, string])[] = [
    ['the first', '{"values":["secret", "a","b" ],"total":3,"hasMore":false}', '{"values":["a","b" ],"total":2,"hasMore":false}'],
    ['the last', '{"total":9,"values":["a","secret"],"hasMore":true}', '{"total":1,"values":["a"],"hasMore":true}'],
    ['all', '{"values":["secret 1","secret 2"]}', '{"values":[]}'],
    ['another spelling', '{"\\u0076alues":["\\u0073ecret","a"]}', '{"\\u0076alues":["a"]}'],
    ['what is no string', '{"values":[["a"],"a",1]}', '{"values":["a"]}'],
    ['none', '{"values":["a", "b"],"total":2}', '{"values":["a", "b"],"total":2}'],
    ['no values', '{"values":null,"total":2}', '{"values":null,"total":0}'],
    ['those that did not fit', '{"values":["a"],"total":200}', '{"values":["a"],"total":1}'],
  ];
  for (const [name, sent, seen] of rows) {
    test(`loses the values that are hidden: ${name}`, () => {
      assert.equal(filter(answer(sent)), answer(seen));
    });
  }

  test('with values in two places is no answer', () => {
    assert.equal(filter(answer('{"values":["a"],"values":["secret"]}')), null);
  });

  test('keeps what is visible, whatever the values', () => {
    const value = fc.oneof(
      fc.string(),
      fc.constant('secret'),
      fc.string().map((x) => `secret${x}`),
    );
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const seen = JSON.parse(filter(answer(JSON.stringify({ values }))) ?? '') as {
          result: { completion: { values: string[] } };
        };
        const kept = values.filter((one) => !one.startsWith('secret'));
        assert.deepEqual(seen.result.completion.values, kept);
      }),
      { numRuns: 300 },
    );
  });
});
