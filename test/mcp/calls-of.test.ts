import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { callsOf } from '../../src/mcp/calls-of.ts';
import { call, request } from './messages.ts';

const locate = (_kind: unknown, name: string) => ({ target: 'target', name });

/** The names that the policies are asked about. */
function asked(method: string, params: object): string[] {
  return (callsOf(request(call(method, params)), locate) ?? []).map(({ name }) => name);
}

describe('what the policies are asked about a completion', () => {
  const argument = { name: 'a', value: 'b' };
  const template = (uri: string) => ({ ref: { type: 'ref/resource', uri }, argument });
  const rows: readonly (readonly [uri: string, names: readonly string[]])[] = [
    ['test://open/{id}', ['test://open/{id}']],
    ['test://{host}/{+path}{?query*}', ['test://{host}/{+path}{?query*}']],
    ['not a URI {id}', ['not a URI {id}']],
    ['TEST://secret/{id}', ['TEST://secret/{id}', 'test://secret/{id}']],
    ['test://open/../../{id}', ['test://open/../../{id}', 'test://open/{id}']],
    [' test://secret/%7Bid%7D', [' test://secret/%7Bid%7D', 'test://secret/{id}']],
  ];
  for (const [uri, names] of rows) {
    it(`of ${uri}: ${names.join(' and ')}`, () => {
      assert.deepEqual(asked('completion/complete', template(uri)), names);
    });
  }

  it('of a prompt: the prompt', () => {
    const ref = { type: 'ref/prompt', name: 'TEST://x' };
    assert.deepEqual(asked('completion/complete', { ref, argument }), ['TEST://x']);
  });
});

it('nothing of the arguments is built before a rule asks for them', () => {
  for (const type of ['tool', 'prompt'] as const) {
    let built = 0;
    const object = {
      type,
      name: 'a',
      get arguments() {
        built += 1;
        return { x: 1 };
      },
    };
    const method = type === 'tool' ? 'tools/call' : 'prompts/get';
    const [asked, ...more] = callsOf({ ...request(call(method, { name: 'a' })), object }, locate) ?? []; // prettier-ignore
    assert.equal(built, 0);
    assert.deepEqual(asked?.arguments, { x: 1 });
    assert.deepEqual(more, []);
    assert.deepEqual({ ...asked }, { ...{ kind: type, name: 'a', target: 'target', protocolVersion: null }, method, completion: null }); // prettier-ignore
  }
});
