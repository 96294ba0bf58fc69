import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';

import fc from 'fast-check';

import { readLocalKeys } from '../../../src/resources/jwks/local-keys.ts';
import { jwkThumbprint } from '../../../src/resources/jwks/pem-keys.ts';
import { caCertificatePem, serverKeyPem } from '../fixtures/certificates.ts';
import { guideJwks, guideModulus } from '../fixtures/guide-key.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const smallRsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });
const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const ed25519 = generateKeyPairSync('ed25519');
const x25519 = generateKeyPairSync('x25519');

type Members = Record<string, unknown>;
const jwkOf = (key: KeyObject, extra: Members = {}): Members => ({
  ...key.export({ format: 'jwk' }),
  kid: 'k1',
  ...extra,
});
const good = jwkOf(p256.publicKey, { kid: 'good' });
const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

test("the guide's key is accepted, and stored without the leading zero octet of its modulus", () => {
  const read = readLocalKeys(guideJwks);
  assert.deepEqual(read.problems, []);
  assert.deepEqual(read.warnings, []);
  assert.equal(read.kidOptional, false);
  const [key] = read.jwks;
  assert.equal(key?.kid, 'solo-public-key-001');
  assert.equal(key.alg, 'RS256');
  const modulus = Buffer.from(String(key.n), 'base64url');
  assert.equal(modulus.length, 256);
  assert.deepEqual(modulus, Buffer.from(guideModulus, 'base64url').subarray(1));
});

const accepted: [name: string, jwk: Members][] = [
  ['RSA without alg', jwkOf(rsa.publicKey)],
  ['RSA PS512', jwkOf(rsa.publicKey, { alg: 'PS512', use: 'sig' })],
  ['P-256', jwkOf(p256.publicKey, { alg: 'ES256' })],
  ['P-384', jwkOf(p384.publicKey, { alg: 'ES384' })],
  ['P-521', jwkOf(p521.publicKey, { alg: 'ES512' })],
  ['Ed25519', jwkOf(ed25519.publicKey, { alg: 'EdDSA', key_ops: ['verify'] })],
];

for (const [name, jwk] of accepted) {
  test(`a single JWK is accepted: ${name}`, () => {
    const read = readLocalKeys(` ${JSON.stringify(jwk)}\n`);
    assert.deepEqual([read.problems, read.warnings], [[], []]);
    const kept = Object.entries(jwk).filter(([member]) => member !== 'key_ops');
    assert.deepEqual(read.jwks, [Object.fromEntries(kept)]);
  });
}

test('members that are not needed to verify are dropped', () => {
  const read = readLocalKeys(JSON.stringify({ ...good, x5c: ['MII'], x5t: 'abc', comment: 'x' }));
  assert.deepEqual(Object.keys(read.jwks[0] ?? {}).sort(), ['crv', 'kid', 'kty', 'x', 'y']);
});

const skipped: [name: string, jwk: Members, warning: RegExp][] = [
  ['RSA of 1024 bits', jwkOf(smallRsa.publicKey), /at least 2048 bits/],
  ['RSA with exponent 1', jwkOf(rsa.publicKey, { e: 'AQ' }), /exponent is not safe/],
  ['an encryption key', jwkOf(rsa.publicKey, { use: 'enc' }), /`use` is not "sig"/],
  ['a key for signing only', jwkOf(rsa.publicKey, { key_ops: ['sign'] }), /`key_ops`/],
  ['secp256k1', jwkOf(koblitz.publicKey), /none of P-256, P-384, P-521/],
  ['X25519', jwkOf(x25519.publicKey), /not an RSA, EC or Ed25519 key/],
  ['an alg of another curve', jwkOf(p256.publicKey, { alg: 'ES384' }), /which suit the key/],
  ['an alg of another type', jwkOf(p256.publicKey, { alg: 'RS256' }), /which suit the key/],
  ['an alg that encrypts', jwkOf(rsa.publicKey, { alg: 'RSA-OAEP' }), /which suit the key/],
  ['an alg that is no text', jwkOf(rsa.publicKey, { alg: 5 }), /which suit the key/],
  ['a new key type', { kty: 'AKP', kid: 'k1' }, /none of RSA, EC, OKP/],
  ['a point off the curve', jwkOf(p256.publicKey, { x: 'AAAA' }), /do not make a public key/],
  ['a member that is no text', jwkOf(rsa.publicKey, { n: 7 }), /`n` is not a string/],
  ['no members', { kty: 'RSA', kid: 'k1' }, /do not make a public key/],
];

for (const [name, jwk, warning] of skipped) {
  test(`in a good set a key that can't be used is skipped with a warning: ${name}`, () => {
    const read = readLocalKeys(JSON.stringify({ keys: [jwk, good] }));
    assert.deepEqual(read.problems, []);
    assert.deepEqual(read.jwks, [good]);
    assert.equal(read.warnings.length, 1);
    assert.match(read.warnings[0] ?? '', /^keys\[0\]: the key is skipped: /);
    assert.match(read.warnings[0] ?? '', warning);
  });

  test(`a set with no key that can be used is refused: ${name}`, () => {
    const read = readLocalKeys(JSON.stringify({ keys: [jwk] }));
    assert.match(read.problems[0] ?? '', /^no key in it can be used: keys\[0\]: /);
    assert.deepEqual(read.jwks, []);
  });
}

const refused: [name: string, jwk: unknown, problem: RegExp][] = [
  ['no kid', { ...good, kid: undefined }, /^keys\[1\]: the key is missing the `kid` attribute$/],
  ['an empty kid', { ...good, kid: '' }, /the key is missing the `kid` attribute/],
  ['a kid that is no text', { ...good, kid: 1 }, /the key is missing the `kid` attribute/],
  ['a private RSA key', jwkOf(rsa.privateKey), /private key/],
  ['a private EC key', jwkOf(p256.privateKey), /private key/],
  ['a lone prime', { ...good, p: 'AAAA' }, /private key/],
  ['a symmetric key', { kty: 'oct', kid: 'k1', k: 'c2VjcmV0' }, /symmetric/],
  ['alg none', { ...good, alg: 'none' }, /neither none nor HMAC/],
  ['alg HS256', { ...good, alg: 'HS256' }, /neither none nor HMAC/],
  ['no object', 'key', /not a JSON object/],
];

for (const [name, jwk, problem] of refused) {
  test(`a key set is refused for ${name}, even beside a good key`, () => {
    const read = readLocalKeys(JSON.stringify({ keys: [good, jwk] }));
    assert.equal(read.problems.length, 1);
    assert.match(read.problems[0] ?? '', problem);
    assert.ok(!read.problems.join().includes('c2VjcmV0'));
  });
}

const notKeys: [name: string, text: string, problem: RegExp][] = [
  ['nothing', '', /neither PEM nor JSON/],
  ['some word', 'secret-word', /neither PEM nor JSON/],
  ['a list', '[]', /not a JWKS/],
  ['null', 'null', /not a JWKS/],
  ['an empty object', '{}', /neither a JWKS/],
  ['an empty set', '{"keys":[]}', /"keys" is empty/],
  ['keys of another type', '{"keys":{}}', /"keys" must be a list/],
  ['a private PEM key', serverKeyPem, /private key/],
  ['half a PEM key', '-----BEGIN PUBLIC KEY-----\nMIIB', /not whole/],
  ['a broken PEM key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', /not parse/],
  ['a small PEM key', pemOf(smallRsa.publicKey), /at least 2048 bits/],
  [
    'a PEM request',
    '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
    /not a PEM public key/,
  ],
];

for (const [name, text, problem] of notKeys) {
  test(`${name} is not a key set`, () => {
    const read = readLocalKeys(text);
    assert.deepEqual(read.jwks, []);
    assert.match(read.problems[0] ?? '', problem);
    assert.ok(!read.problems.join().includes('secret-word'));
  });
}

const pemKeys: [name: string, pem: string, algorithm: string][] = [
  ['RSA', pemOf(rsa.publicKey), 'RS256'],
  ['RSA, PKCS #1', rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(), 'RS256'],
  ['P-256', pemOf(p256.publicKey), 'ES256'],
  ['P-384', pemOf(p384.publicKey), 'ES384'],
  ['Ed25519', pemOf(ed25519.publicKey), 'EdDSA'],
  ['the key of a certificate', caCertificatePem, 'ES256'],
];

for (const [name, pem, algorithm] of pemKeys) {
  test(`a PEM key is listed under its thumbprint with and without padding: ${name}`, () => {
    const read = readLocalKeys(`\n${pem}\n`);
    assert.deepEqual(read.problems, []);
    assert.equal(read.kidOptional, true);
    assert.equal(read.jwks.length, 2);
    const [unpadded, padded] = read.jwks;
    const thumbprint = jwkThumbprint(createPublicKey(pem).export({ format: 'jwk' }));
    assert.equal(unpadded?.kid, thumbprint);
    assert.equal(padded?.kid, `${thumbprint}=`);
    assert.equal(padded.alg, algorithm);
    assert.deepEqual({ ...padded, kid: '' }, { ...unpadded, kid: '' });
  });
}

test('two PEM keys are both listed, and a token must then name one', () => {
  const read = readLocalKeys(pemOf(rsa.publicKey) + pemOf(p256.publicKey));
  assert.equal(read.jwks.length, 4);
  assert.equal(read.kidOptional, false);
});

test('the thumbprint is that of RFC 7638, section 3.1', () => {
  const jwk = {
    kty: 'RSA',
    n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
    e: 'AQAB',
    alg: 'RS256',
    kid: '2011-04-29',
  };
  assert.equal(jwkThumbprint(jwk), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
});

test('no text makes the reader throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((json) => `{"keys":[${json}]}`),
      ),
      (text) => {
        readLocalKeys(text);
      },
    ),
    { numRuns: 500 },
  );
});
