import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';

import {
  checkServerCertificate,
  readCertificates,
  validityWarnings,
} from '../../../src/resources/link/certificates.ts';
import {
  caCertificatePem,
  certificatesValidAtMs,
  serverCertificatePem,
  serverKeyPem,
  shortLivedCertificatePem,
} from '../fixtures/certificates.ts';

test('a bundle of certificates is read whole', () => {
  const read = readCertificates(`# a comment\n${caCertificatePem}${serverCertificatePem}`);
  assert.equal(read.problem, null);
  assert.equal(read.certificates.length, 2);
});

const badBundles: [name: string, pem: string, problem: RegExp][] = [
  ['nothing', '', /no PEM certificate/],
  ['a key', serverKeyPem, /no PEM certificate/],
  ['half a certificate', caCertificatePem.slice(0, 200), /no end/],
  [
    'a good and a broken one',
    `${caCertificatePem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    /certificate 2 of 2 does not parse/,
  ],
];

for (const [name, pem, problem] of badBundles) {
  test(`${name} is not a bundle of certificates`, () => {
    const read = readCertificates(pem);
    assert.equal(read.certificates, null);
    assert.match(read.problem, problem);
  });
}

test('a chain with the key of its first certificate is accepted', () => {
  const checked = checkServerCertificate(
    serverCertificatePem + caCertificatePem,
    serverKeyPem,
    certificatesValidAtMs,
  );
  assert.equal(checked.certificateProblem, null);
  assert.equal(checked.keyProblem, null);
  assert.deepEqual(checked.warnings, []);
});

test('a key of another certificate is refused', () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const checked = checkServerCertificate(
    serverCertificatePem,
    other.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificatesValidAtMs,
  );
  assert.equal(checked.keyProblem, 'the private key does not belong to the certificate');
});

test('an encrypted key is refused without asking for a passphrase', () => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const checked = checkServerCertificate(serverCertificatePem, privateKey, certificatesValidAtMs);
  assert.match(checked.keyProblem ?? '', /encrypted/);
});

test('an expired certificate, and one that is not valid yet, are warned of', () => {
  const { certificates } = readCertificates(shortLivedCertificatePem);
  assert.ok(certificates);
  assert.deepEqual(validityWarnings(certificates, certificatesValidAtMs), []);
  assert.deepEqual(validityWarnings(certificates, Date.parse('2026-12-01T00:00:00Z')), [
    'the certificate has expired on 2026-11-23T22:11:52.000Z',
  ]);
  assert.deepEqual(validityWarnings(certificates, Date.parse('2026-01-01T00:00:00Z')), [
    'the certificate is valid only from 2026-11-22T22:11:52.000Z',
  ]);
});
