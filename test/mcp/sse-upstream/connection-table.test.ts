import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SealOwner } from '../../../src/mcp/seal-binding.ts';
import { createConnectionTable } from '../../../src/mcp/sse-upstream/connection-table.ts';

const owner = (subject: string): SealOwner => ({ kind: 'subject', issuer: 'i', subject });
const anonymous: SealOwner = { kind: 'anonymous' };

function setUp(maxConnections: number, maxConnectionsPerOwner: number) {
  const table = createConnectionTable<{ isIdle: boolean; close: () => void }>({
    maxConnections,
    maxConnectionsPerOwner,
  });
  const closed: string[] = [];
  const add = (uid: string, of: SealOwner, isIdle = true) => {
    const connection = { isIdle, close: () => void closed.push(uid) };
    table.add(uid, of, connection);
    return connection;
  };
  return { table, add, closed };
}

test('a connection is found by its owner alone', () => {
  const { table, add } = setUp(10, 10);
  const connection = add('a', owner('alice'));
  assert.equal(table.find('a', owner('alice')), connection);
  assert.equal(table.find('a', owner('bob')), null);
  assert.equal(table.find('a', anonymous), null);
  assert.equal(table.find('b', owner('alice')), null);
});

test('the idle connection that was used least lately makes room', () => {
  const { table, add, closed } = setUp(3, 10);
  add('a', owner('alice'), false);
  add('b', owner('bob'));
  add('c', owner('carol'));
  table.find('b', owner('bob'));
  assert.ok(table.makeRoom(owner('dave')));
  assert.deepEqual(closed, ['c']);
  assert.equal(table.find('c', owner('carol')), null);
});

test('where all are in use there is no room', () => {
  const { table, add, closed } = setUp(2, 10);
  add('a', owner('alice'), false);
  add('b', owner('bob'), false);
  assert.ok(!table.makeRoom(owner('carol')));
  assert.deepEqual(closed, []);
});

test('one owner has a bound of his own, and makes room among his own', () => {
  const { table, add, closed } = setUp(10, 2);
  add('b', owner('bob'));
  add('a1', owner('alice'), false);
  const second = add('a2', owner('alice'));
  assert.ok(table.makeRoom(owner('alice')));
  assert.deepEqual(closed, ['a2']);
  table.remove('a2', second);
  add('a3', owner('alice'), false);
  assert.ok(!table.makeRoom(owner('alice')));
  assert.ok(table.makeRoom(owner('bob')));
});

test('callers without a token are bounded together alone', () => {
  const { table, add } = setUp(10, 1);
  add('a', anonymous, false);
  assert.ok(table.makeRoom(anonymous));
});

test('what has taken the place of a connection is not removed with it', () => {
  const { table, add } = setUp(10, 10);
  const first = add('a', owner('alice'));
  const second = add('a', owner('alice'));
  table.remove('a', first);
  assert.equal(table.find('a', owner('alice')), second);
  assert.equal(table.all().length, 1);
});
