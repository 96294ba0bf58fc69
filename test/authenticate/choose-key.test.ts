import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import type { JWK } from 'jose';
import type { Algorithm } from '../../src/authenticate/algorithms.ts';
import { keyTypeByAlgorithm } from '../../src/authenticate/algorithms.ts';
import { chooseKeys, suitsAlgorithm } from '../../src/authenticate/choose-key.ts';
import { emptyKeySetContent, isSameContent, readKeySet } from '../../src/authenticate/key-set.ts';
import { readVerificationKey } from '../../src/authenticate/verification-key.ts';
import type { VerificationKey } from '../../src/authenticate/verification-key.ts';
import { guideJwks } from '../fixtures/guide-tokens.ts';
import { makeKey } from './token-issuer.ts';

const rsa = (await makeKey('RS256', 'rsa')).jwk;
const p256 = (await makeKey('ES256', 'p256')).jwk;
const p384 = (await makeKey('ES384', 'p384')).jwk;
const p521 = (await makeKey('ES512', 'p521')).jwk;
const ed25519 = (await makeKey('EdDSA', 'ed')).jwk;

function without(jwk: JWK, name: keyof JWK): JWK {
  return Object.fromEntries(Object.entries(jwk).filter(([member]) => member !== name));
}

function read(jwk: unknown): VerificationKey {
  const key = readVerificationKey(jwk);
  assert.ok(typeof key !== 'string');
  return key;
}

describe('a key suits an algorithm', () => {
  const names = Array.from(keyTypeByAlgorithm.keys()) as Algorithm[];
  const rows: [title: string, jwk: JWK, algorithms: string[]][] = [
    [
      'of RSA, without alg',
      without(rsa, 'alg'),
      ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
    ],
    ['of P-256, without alg', without(p256, 'alg'), ['ES256']],
    ['of P-384, without alg', without(p384, 'alg'), ['ES384']],
    ['of P-521, without alg', without(p521, 'alg'), ['ES512']],
    ['of Ed25519, without alg', without(ed25519, 'alg'), ['EdDSA', 'Ed25519']],
    ['with an alg', rsa, ['RS256']],
    ['with an alg for another key type', { ...rsa, alg: 'ES256' }, []],
    ['with an alg for encryption', { ...rsa, alg: 'RSA-OAEP' }, []],
    ['with an alg of HMAC', { ...rsa, alg: 'HS256' }, []],
    ['without use', without(rsa, 'use'), ['RS256']],
    ['reserved for encryption', { ...rsa, use: 'enc' }, []],
    ['with key_ops for verifying', { ...rsa, key_ops: ['verify'] }, ['RS256']],
    ['with key_ops for something else', { ...rsa, key_ops: ['wrapKey'] }, []],
    ['with no key_ops', { ...rsa, key_ops: [] }, []],
  ];
  for (const [title, jwk, algorithms] of rows) {
    test(title, () => {
      assert.deepEqual(
        names.filter((name) => suitsAlgorithm(read(jwk), name)),
        algorithms,
      );
    });
  }

  test('HMAC, none and unknown names are no algorithms at all', () => {
    for (const name of [
      'HS256',
      'HS384',
      'HS512',
      'none',
      'None',
      'NONE',
      '',
      'rs256',
      'ES256K',
      'constructor',
    ]) {
      assert.equal(keyTypeByAlgorithm.has(name), false);
    }
  });

  test('one key under two names is tried once', () => {
    const keys = [read(rsa), read({ ...rsa, kid: 'other' }), read({ ...rsa, use: 'enc' })];
    assert.deepEqual(chooseKeys(keys, 'RS256'), [keys[0]]);
  });
});

describe('a key is left out of its set', () => {
  const smallRsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
    format: 'jwk',
  });
  const rows: [title: string, jwk: unknown, problem: RegExp][] = [
    ['without a kid', without(rsa, 'kid'), /missing the `kid` attribute/],
    ['with an empty kid', { ...rsa, kid: '' }, /missing the `kid` attribute/],
    ['when it is symmetric', { kty: 'oct', kid: 'k', k: 'c2VjcmV0' }, /symmetric/],
    ['when it is private', { ...rsa, d: 'AQAB' }, /private/],
    ['of an unknown type', { kty: 'XYZ', kid: 'k' }, /type is not supported/],
    ['without a type', { kid: 'k' }, /type is not supported/],
    ['of an unknown curve', { ...p256, crv: 'secp256k1' }, /curve is not supported/],
    ['of a curve for agreement', { ...ed25519, crv: 'X25519' }, /curve is not supported/],
    ['that is no point of its curve', { ...p256, y: p256.x }, /valid public key/],
    ['without a modulus', without(rsa, 'n'), /`n` or `e`/],
    ['with a modulus of another type', { ...rsa, n: 7 }, /`n` or `e`/],
    ['with less than 2048 bits', { ...smallRsa, kid: 'k' }, /2048 to 8192 bits/],
    [
      'with more than 8192 bits',
      { ...rsa, n: Buffer.alloc(1200, 0xff).toString('base64url') },
      /2048 to 8192 bits/,
    ],
    ['with the exponent 1', { ...rsa, e: 'AQ' }, /exponent/],
    ['with an even exponent', { ...rsa, e: 'AQAA' }, /exponent/],
    ['that is no object', 'key', /not a JSON object/],
    ['that is null', null, /not a JSON object/],
  ];
  for (const [title, jwk, problem] of rows) {
    test(title, () => {
      const warnings: string[] = [];
      const content = readKeySet([jwk, p384], emptyKeySetContent, (warning) =>
        warnings.push(warning),
      );
      assert.deepEqual(Array.from(content.byKid.keys()), ['p384']);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', problem);
    });
  }
});

describe('a key set', () => {
  const keysOf = (
    jwks: readonly unknown[],
    previous = emptyKeySetContent,
  ): ReturnType<typeof readKeySet> => readKeySet(jwks, previous, () => undefined);

  test('takes the key of the guide, whose modulus has a leading zero octet', () => {
    assert.equal(keysOf(guideJwks.keys).keys.size, 1);
  });

  test('keeps keys of one kid that differ in type or algorithm', () => {
    const jwks = [rsa, { ...rsa, alg: 'PS256' }, { ...p256, kid: 'rsa' }, { ...p256, kid: 'rsa' }];
    assert.equal(keysOf(jwks).byKid.get('rsa')?.length, 3);
  });

  test('holds no more than 1000 keys', () => {
    const jwks = Array.from({ length: 1001 }, (_, index) => ({ ...p256, kid: `k${index}` }));
    assert.equal(keysOf(jwks).keys.size, 1000);
  });

  test('keeps the objects of keys that did not change, whatever their order', () => {
    const first = keysOf([rsa, p256, p384]);
    const reordered = keysOf([p384, rsa, p256], first);
    assert.ok(isSameContent(first, reordered));
    const changed = keysOf([{ ...rsa, use: 'enc' }, p256], first);
    assert.ok(!isSameContent(first, changed));
    assert.equal(changed.byKid.get('p256')?.[0], first.byKid.get('p256')?.[0]);
    assert.notEqual(changed.byKid.get('rsa')?.[0], first.byKid.get('rsa')?.[0]);
  });
});
