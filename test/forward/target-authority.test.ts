import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetAuthority } from '../../src/forward/target-authority.ts';
import { targetAt, tlsPlan } from './raw-upstream.ts';

const authorities: readonly [host: string, port: number, tls: boolean, authority: string][] = [
  ['a.test', 80, false, 'a.test'],
  ['a.test', 443, false, 'a.test:443'],
  ['a.test', 443, true, 'a.test'],
  ['a.test', 80, true, 'a.test:80'],
  ['192.0.2.1', 8080, false, '192.0.2.1:8080'],
  ['::1', 80, false, '[::1]'],
  ['::1', 8080, false, '[::1]:8080'],
];
for (const [host, port, tls, authority] of authorities) {
  test(`the authority of ${host} ${port}${tls ? ' with TLS' : ''} is ${authority}`, () =>
    assert.equal(
      targetAuthority(targetAt(port, { host, tls: tls ? tlsPlan({}) : null })),
      authority,
    ));
}
