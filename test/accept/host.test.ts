import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { normaliseHost } from '../../src/accept/host.ts';

const accepted: readonly [authority: string, host: string, port: number | null][] = [
  ['example.com', 'example.com', null],
  ['Example.COM:8080', 'example.com', 8080],
  ['example.com.', 'example.com', null],
  ['example.com.:443', 'example.com', 443],
  ['example.com:', 'example.com', null],
  ['localhost', 'localhost', null],
  ['my_service-1:80', 'my_service-1', 80],
  ['r3---sn.example.com', 'r3---sn.example.com', null],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example', null],
  ['127.0.0.1:65535', '127.0.0.1', 65535],
  ['255.255.255.255', '255.255.255.255', null],
  ['1.2.3.4.example', '1.2.3.4.example', null],
  ['[::1]', '[::1]', null],
  ['[::1]:8443', '[::1]', 8443],
  ['[0:0:0:0:0:0:0:1]', '[::1]', null],
  ['[2001:DB8::A]', '[2001:db8::a]', null],
  ['[::1]:', '[::1]', null],
  [`${'a'.repeat(63)}.b`, `${'a'.repeat(63)}.b`, null],
];

const refused: readonly string[] = [
  '',
  '.',
  ':80',
  'a..b',
  '.example.com',
  'example.com..',
  'user@example.com',
  'user:password@example.com',
  'example.com, evil.example',
  'example.com,evil.example',
  'example.com/path',
  'example.com?x',
  'example.com#x',
  'example.com\\x',
  'exam ple.com',
  ' example.com',
  'example.com ',
  'example.com\t',
  'example.com\r\nx: y',
  'example.com\0',
  'exampl%65.com',
  'bücher.example',
  '\u212Aey.example',
  'example.com:0',
  'example.com:65536',
  'example.com:000080',
  'example.com:8o',
  'example.com:-1',
  'example.com:80:80',
  'example.com: 80',
  '*.example.com',
  '127.1',
  '127.0.0.01',
  '127.0.0.1.1',
  '256.0.0.1',
  '1.2.3',
  '2130706433',
  '0x7f.0.0.1',
  '0x7f000001',
  '[::1',
  '::1',
  '[::1%eth0]',
  '[::1]x',
  '[::1]80',
  '[example.com]',
  '[]',
  '[::1]:0',
  `${'a'.repeat(64)}.b`,
  'a.'.repeat(127) + 'bc',
];

describe('normaliseHost', () => {
  for (const [authority, host, port] of accepted) {
    test(`reads ${authority.slice(0, 40)}`, () => {
      assert.deepEqual(normaliseHost(authority), { host, port });
    });
  }

  for (const authority of refused) {
    test(`refuses ${JSON.stringify(authority).slice(0, 40)}`, () => {
      assert.equal(normaliseHost(authority), null);
    });
  }

  test('returns for any text null or a host that it reads as itself', () => {
    const characters = fc.constantFrom(
      ...Array.from('aZ09.-_:[]@/%,* \r\n\0\u212Aü'),
      ...['::', '127.', '0x'],
    );
    const authorities = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.array(characters, { maxLength: 20 }).map((parts) => parts.join('')),
      fc.tuple(fc.domain(), fc.integer({ min: 0, max: 99_999 })).map(([d, p]) => `${d}:${p}`),
      fc.ipV6().map((address) => `[${address}]`),
    );
    fc.assert(
      fc.property(authorities, (authority) => {
        const result = normaliseHost(authority);
        if (result === null) return;
        assert.match(result.host, /^(?:[a-z0-9_.-]{1,253}|\[[0-9a-f:]+\])$/);
        assert.deepEqual(normaliseHost(result.host), { host: result.host, port: null });
        // The URL parser refuses labels that are not valid Punycode.
        if (result.host.includes('xn--')) return;
        assert.equal(new URL(`http://${result.host}/`).hostname, result.host);
      }),
      { numRuns: 3000 },
    );
  });
});
