import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PeerCertificate } from 'node:tls';
import {
  checkIdentity,
  connectOptions,
  sentServerName,
} from '../../src/forward/connect-options.ts';
import type { TlsPlan } from '../../src/plan.ts';

const tls = (changes: Partial<TlsPlan> = {}): TlsPlan => ({
  policy: 'BackendTLSPolicy/default/a',
  serverName: 'mcp.example.com',
  caCertificatesPem: null,
  subjectAltNames: [],
  invalid: null,
  ...changes,
});
const certificateWith = (subjectaltname: string, commonName = 'cn.example'): PeerCertificate =>
  ({ subject: { CN: commonName }, subjectaltname }) as PeerCertificate;
const uri = (value: string) => ({ type: 'URI' as const, value });
const dns = (value: string) => ({ type: 'Hostname' as const, value });

describe('whose certificate it is', () => {
  const rows: readonly [string, Partial<TlsPlan>, names: string, accepted: boolean][] = [
    ['the name of the policy', {}, 'DNS:mcp.example.com', true],
    ['its capitals do not matter', {}, 'DNS:MCP.Example.com', true],
    ['one of several names', {}, 'DNS:a.example, DNS:mcp.example.com', true],
    ['a wildcard over it', {}, 'DNS:*.example.com', true],
    ['a wildcard two labels up', {}, 'DNS:*.com', false],
    ['another name', {}, 'DNS:evil.example', false],
    ['the name as a part of another', {}, 'DNS:mcp.example.com.evil.example', false],
    ['the name as a URI alone', {}, 'URI:https://mcp.example.com', false],
    ['the name quoted inside a URI', {}, 'URI:"x, DNS:mcp.example.com"', false],
    ['a wanted DNS name', { subjectAltNames: [dns('alt.example')] }, 'DNS:alt.example', true],
    ['a wanted DNS name under a wildcard', { subjectAltNames: [dns('alt.example.com')] }, 'DNS:*.example.com', true],
    ['the hostname, where other names are wanted', { subjectAltNames: [dns('alt.example')] }, 'DNS:mcp.example.com', false],
    ['one of the wanted names', { subjectAltNames: [dns('no.example'), uri('spiffe://a/b')] }, 'URI:spiffe://a/b', true],
    ['a longer URI', { subjectAltNames: [uri('spiffe://a/b')] }, 'URI:spiffe://a/b/c', false],
    ['a shorter URI', { subjectAltNames: [uri('spiffe://a/b')] }, 'URI:spiffe://a', false],
    ['a URI of another case', { subjectAltNames: [uri('spiffe://a/b')] }, 'URI:spiffe://a/B', false],
    ['a URI after other names', { subjectAltNames: [uri('spiffe://a/b')] }, 'DNS:x, URI:spiffe://a/b, IP Address:1.2.3.4', true],
    ['a URI with a comma, quoted by Node', { subjectAltNames: [uri('spiffe://a,b')] }, 'URI:"spiffe://a,b"', true],
    ['a URI with a quote', { subjectAltNames: [uri('spiffe://a"b')] }, 'URI:"spiffe://a\\"b"', true],
    ['a URI that pretends to be two', { subjectAltNames: [uri('spiffe://a/b')] }, 'URI:"x, URI:spiffe://a/b"', false],
    ['a DNS name that pretends to be a URI', { subjectAltNames: [uri('spiffe://a/b')] }, 'DNS:"x, URI:spiffe://a/b"', false],
    ['a quoted DNS name with a URI within', { subjectAltNames: [uri('spiffe://a/b')] }, 'DNS:"x, URI:spiffe://a/b, y"', false],
    ['a URI after a quoted name', { subjectAltNames: [uri('spiffe://a/b')] }, 'DNS:"x, y", URI:spiffe://a/b', true],
    ['a URI after an IPv6 address', { subjectAltNames: [uri('spiffe://a/b')] }, 'IP Address:0:0:0:0:0:0:0:1, URI:spiffe://a/b', true],
    ['a wanted URI that stands as DNS name', { subjectAltNames: [uri('a.example')] }, 'DNS:a.example', false],
    ['a wanted DNS name that stands as URI', { subjectAltNames: [dns('a.example')] }, 'URI:a.example', false],
  ]; // prettier-ignore
  for (const [name, changes, names, accepted] of rows) {
    test(`${name}: ${accepted ? 'accepted' : 'refused'}`, () => {
      const error = checkIdentity(tls(changes), certificateWith(names));
      assert.equal(error === undefined, accepted, error?.message);
      if (error !== undefined) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ERR_TLS_CERT_ALTNAME_INVALID');
      }
    });
  }

  test('a certificate without names has no URI', () => {
    const bare = { subject: { CN: 'spiffe://a/b' } } as PeerCertificate;
    assert.ok(checkIdentity(tls({ subjectAltNames: [uri('spiffe://a/b')] }), bare));
  });
});

test('TLS is always verified, at least 1.2, with the authorities of the plan or the system\u2019s', () => {
  const options = connectOptions(tls({ caCertificatesPem: 'PEM' }), 500);
  assert.ok('rejectUnauthorized' in options);
  assert.equal(options.rejectUnauthorized, true);
  assert.equal(options.minVersion, 'TLSv1.2');
  assert.equal(options.servername, 'mcp.example.com');
  assert.equal(options.ca, 'PEM');
  assert.equal(options.timeout, 500);
  assert.equal('ca' in connectOptions(tls(), 500), false);
});

test('without TLS nothing of it is set', () => {
  assert.deepEqual(connectOptions(null, 500), { timeout: 500, keepAlive: true });
});

test('an IP address is not sent as server name', () => {
  assert.equal(sentServerName({ serverName: '192.0.2.1' }), '');
  assert.equal(sentServerName({ serverName: '::1' }), '');
  assert.equal(sentServerName({ serverName: 'a.example' }), 'a.example');
});
