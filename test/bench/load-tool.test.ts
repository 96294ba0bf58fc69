import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bestTool, chooseTool } from '../../bench/load/tool.ts';

const all = () => true;
const none = () => false;

describe('a load tool', () => {
  test('that is named is taken', () => {
    for (const name of ['autocannon', 'wrk', 'h2load']) assert.equal(chooseTool(name, all), name);
    assert.equal(chooseTool('autocannon', none), 'autocannon');
  });
  for (const [name, hint] of [
    ['wrk', /^Error: wrk is not installed: apt-get install wrk /],
    ['h2load', /^Error: h2load is not installed: apt-get install nghttp2-client /],
  ] as const) {
    test(`is missed by name: ${name}`, () => {
      assert.throws(() => chooseTool(name, none), hint);
    });
  }
  test('that nobody knows is refused', () => {
    assert.throws(() => chooseTool('ab', all), /no load tool ab; there are autocannon, wrk/);
  });
  test('is chosen among those that are installed', () => {
    assert.equal(chooseTool('auto', all), 'wrk');
    assert.equal(
      bestTool((program) => program === 'h2load'),
      'h2load',
    );
    assert.equal(chooseTool('auto', none), 'autocannon');
  });
});
