import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressText } from '../../src/accept/remote-address.ts';

const rows: readonly [native: string, address: string][] = [
  ['127.0.0.1', '127.0.0.1'],
  ['203.0.113.9', '203.0.113.9'],
  ['0000:0000:0000:0000:0000:ffff:7f00:0001', '127.0.0.1'],
  ['0000:0000:0000:0000:0000:ffff:cb00:71ff', '203.0.113.255'],
  ['0000:0000:0000:0000:0000:0000:0000:0001', '::1'],
  ['2001:0db8:0000:0000:0000:0000:0000:000a', '2001:db8::a'],
  ['2001:0db8:0000:0000:0000:ffff:7f00:0001', '2001:db8::ffff:7f00:1'],
  ['', ''],
];
for (const [native, address] of rows) {
  test(`"${native}" is ${address}`, () => assert.equal(addressText(native), address));
}
