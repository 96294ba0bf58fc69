import assert from 'node:assert/strict';
import { connect, type PeerCertificate } from 'node:tls';
import { describe, test } from 'node:test';
import './native-environment.ts';
import { listen, type ServerCertificate } from '../../src/accept/listener.ts';
import { freePort } from '../harness/free-port.ts';
import type { Scope } from '../harness/scope.ts';
import { createAuthority, type CertificatePair } from '../peers/certificates.ts';

const authority = await createAuthority();
const certificate = (pair: CertificatePair): ServerCertificate['certificate'] => ({
  secret: 'default/tls',
  certificateChainPem: pair.certPem,
  privateKeyPem: pair.keyPem,
});
const issue = async (...dns: string[]) => certificate(await authority.issue({ dns }));
const [fallback, exact, wild, deep] = await Promise.all([
  issue('fallback.test'),
  issue('exact.test'),
  issue('*.wild.test'),
  issue('*.deep.wild.test'),
]);

async function openTls(scope: Scope, certificates: readonly ServerCertificate[]): Promise<number> {
  const port = await freePort();
  const socket = listen({
    address: '127.0.0.1',
    port,
    certificates,
    onRequest: (response, _request, serverName) => response.end(JSON.stringify(serverName)),
    onConnections: () => true,
  });
  scope.after(() => socket.closeAll());
  return port;
}

/** @returns the certificate's first name and the server name that the handler was told, or `refused` */
function ask(port: number, servername: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
    socket.once('secureConnect', () => {
      const { subjectaltname }: PeerCertificate = socket.getPeerCertificate();
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      socket.once('data', (answer: Buffer) => {
        const told = answer.toString().split('\r\n\r\n')[1] ?? '';
        resolve(`${subjectaltname?.replace('DNS:', '') ?? ''} ${told}`);
        socket.destroy();
      });
    });
    socket.once('error', () => resolve('refused'));
  });
}

const named: readonly ServerCertificate[] = [
  { hostname: 'exact.test', certificate: exact },
  { hostname: '*.wild.test', certificate: wild },
  { hostname: '*.deep.wild.test', certificate: deep },
];

describe('the certificate is chosen by server name', () => {
  const rows: readonly [asked: string, withDefault: string, withoutDefault: string][] = [
    ['exact.test', 'exact.test "exact.test"', 'exact.test "exact.test"'],
    ['EXACT.Test', 'exact.test "exact.test"', 'exact.test "exact.test"'],
    ['a.wild.test', '*.wild.test "*.wild.test"', '*.wild.test "*.wild.test"'],
    ['A.WILD.test', '*.wild.test "*.wild.test"', '*.wild.test "*.wild.test"'],
    ['a.b.wild.test', '*.wild.test "*.wild.test"', '*.wild.test "*.wild.test"'],
    ['a.b.c.d.e.f.g.h.wild.test', '*.wild.test "*.wild.test"', '*.wild.test "*.wild.test"'],
    [
      'a.deep.wild.test',
      '*.deep.wild.test "*.deep.wild.test"',
      '*.deep.wild.test "*.deep.wild.test"',
    ],
    // Capitals within overlapping wildcards lead to the wider one: find-route answers 421 then.
    ['A.b.Deep.wild.test', '*.wild.test "*.wild.test"', '*.wild.test "*.wild.test"'],
    ['deep.wild.test', '*.wild.test "*.wild.test"', '*.wild.test "*.wild.test"'],
    // More labels than the native server can hold.
    ['a.b.c.d.e.f.g.h.i.wild.test', 'fallback.test null', 'refused'],
    ['A.b.c.d.e.f.g.h.i.wild.test', 'fallback.test null', 'refused'],
    ['wild.test', 'fallback.test null', 'refused'],
    ['xexact.test', 'fallback.test null', 'refused'],
    ['sub.exact.test', 'fallback.test null', 'refused'],
    ['unknown.test', 'fallback.test null', 'refused'],
    ['UNKNOWN.test', 'fallback.test null', 'refused'],
    ['', 'fallback.test null', 'refused'],
  ];

  test('with a default certificate', async (t) => {
    const port = await openTls(t, [...named, { hostname: null, certificate: fallback }]);
    // In order: no name that was asked for may change what a later one gets.
    for (const [asked, expected] of rows) assert.equal(await ask(port, asked), expected, asked);
    assert.equal(await ask(port, ''), 'fallback.test null');
  });

  test('without one, unknown names are refused', async (t) => {
    const port = await openTls(t, named);
    for (const [asked, , expected] of rows) assert.equal(await ask(port, asked), expected, asked);
  });

  test('the first of two listeners with one hostname gives its certificate', async (t) => {
    const port = await openTls(t, [
      { hostname: 'exact.test', certificate: exact },
      { hostname: 'exact.test', certificate: wild },
    ]);
    assert.equal(await ask(port, 'exact.test'), 'exact.test "exact.test"');
  });
});

test('spellings with capitals can not be added without end', async (t) => {
  const port = await openTls(t, named);
  const spellings = Array.from({ length: 128 }, (_, bits) =>
    Array.from('wildtes', (letter, place) =>
      (bits >> place) & 1 ? letter.toUpperCase() : letter,
    ).join(''),
  ).slice(1);
  let refused = 0;
  for (const spelling of spellings) {
    const name = `a.${spelling.slice(0, 4)}.${spelling.slice(4)}t`;
    if ((await ask(port, name)) === 'refused') refused += 1;
  }
  assert.ok(refused > 0, 'every spelling got a context of its own');
  assert.equal(await ask(port, 'a.wild.test'), '*.wild.test "*.wild.test"');
});

describe('a certificate that is not usable is an error that names the Secret and no key', () => {
  const bad: readonly [string, ServerCertificate['certificate']][] = [
    ['no certificate', { ...exact, certificateChainPem: 'x' }],
    ['no key', { ...exact, privateKeyPem: 'x' }],
    ['the key of another', { ...exact, privateKeyPem: wild.privateKeyPem }],
  ];
  for (const [name, unusable] of bad) {
    for (const hostname of [null, 'other.test']) {
      test(`${name}, for ${hostname ?? 'the default'}`, async (t) => {
        await assert.rejects(
          openTls(t, [...named, { hostname, certificate: unusable }]),
          (error) => {
            assert.ok(error instanceof Error);
            assert.match(error.message, /Secret default\/tls is not usable/);
            assert.doesNotMatch(error.message, /PRIVATE KEY/);
            return true;
          },
        );
      });
    }
  }

  test('so is a hostname of more labels than the native server can hold', async (t) => {
    const hostname = 'a.b.c.d.e.f.g.h.i.wild.test';
    await assert.rejects(openTls(t, [{ hostname, certificate: wild }]), /more than 10 labels/);
  });
});
