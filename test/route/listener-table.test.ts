import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createListenerTable, isMisdirected } from '../../src/route/listener-table.ts';
import { listenerOf } from './plans.ts';

describe('the listener of a host', () => {
  const hostnames = [null, '*.com', '*.example.com', 'a.example.com', '[::1]'];
  const table = createListenerTable(hostnames.map((hostname) => listenerOf(hostname)));
  const rows: readonly [host: string, hostname: string | null][] = [
    ['a.example.com', 'a.example.com'],
    ['b.example.com', '*.example.com'],
    ['b.a.example.com', '*.example.com'],
    ['example.com', '*.com'],
    ['com', null],
    ['localhost', null],
    ['[::1]', '[::1]'],
  ];
  for (const [host, hostname] of rows) {
    test(`of ${host} is that of ${String(hostname)}`, () => {
      assert.equal(table.find(host)?.hostname, hostname);
    });
  }

  test('is nowhere when no hostname covers it', () => {
    assert.equal(createListenerTable([listenerOf('*.example.com')]).find('example.com'), null);
    assert.equal(createListenerTable([]).find('example.com'), null);
  });

  test('is the first one of two with the same hostname', () => {
    const [first, second] = [listenerOf('a.com'), listenerOf('a.com')];
    assert.equal(createListenerTable([first, second]).find('a.com'), first);
  });
});

describe('isMisdirected', () => {
  const rows: readonly [
    hostname: string | null,
    scheme: 'http' | 'https',
    serverName: string | null,
    misdirected: boolean,
  ][] = [
    ['a.example.com', 'https', 'a.example.com', false],
    ['*.example.com', 'https', '*.example.com', false],
    [null, 'https', null, false],
    ['a.example.com', 'https', '*.example.com', true],
    ['*.example.com', 'https', 'a.example.com', true],
    ['a.example.com', 'https', null, true],
    [null, 'https', 'a.example.com', true],
    ['a.example.com', 'http', null, false],
  ];
  for (const [hostname, scheme, serverName, misdirected] of rows) {
    test(`${String(hostname)} over ${scheme} by ${String(serverName)}: ${String(misdirected)}`, () => {
      assert.equal(isMisdirected(listenerOf(hostname), scheme, serverName), misdirected);
    });
  }
});
