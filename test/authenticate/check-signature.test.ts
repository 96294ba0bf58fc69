import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, KeyObject, sign as signOctets } from 'node:crypto';
import { describe, test } from 'node:test';
import { compactVerify, importJWK } from 'jose';
import fc from 'fast-check';
import { keyTypeByAlgorithm, type Algorithm } from '../../src/authenticate/algorithms.ts';
import { isSigned } from '../../src/authenticate/check-signature.ts';
import type { PublicJwk } from '../../src/authenticate/verification-key.ts';
import { verifySignature } from '../../src/authenticate/verify-signature.ts';
import { base64url, forge, goodClaims, makeKey, sign, type TestKey } from './token-issuer.ts';

const algorithms = [...keyTypeByAlgorithm.keys()] as Algorithm[];
const signers = new Map(
  await Promise.all(
    algorithms.map(async (algorithm) => {
      const key = await makeKey(algorithm, 'k');
      return [algorithm, { key, token: await sign(key) }] as const;
    }),
  ),
);

function signer(algorithm: Algorithm): { readonly key: TestKey; readonly token: string } {
  const found = signers.get(algorithm);
  assert.ok(found !== undefined);
  return found;
}

/** The key as the threads import it. */
async function publicKeyOf({ jwk }: TestKey, algorithm: Algorithm): Promise<KeyObject> {
  const imported = await importJWK(jwk, algorithm);
  assert.ok(!(imported instanceof Uint8Array));
  return KeyObject.from(imported);
}

/** What jose says, which asks WebCrypto. */
async function asJose(token: string, algorithm: Algorithm, { jwk }: TestKey): Promise<boolean> {
  const key = await importJWK(jwk, algorithm);
  return compactVerify(token, key, { algorithms: [algorithm] }).then(
    () => true,
    () => false,
  );
}

const withSignature = (token: string, signature: Uint8Array): string =>
  `${token.slice(0, token.lastIndexOf('.'))}.${Buffer.from(signature).toString('base64url')}`;

const signatureOf = (token: string): Buffer =>
  Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url');

for (const algorithm of algorithms) {
  describe(`a signature of ${algorithm}`, () => {
    const { key, token } = signer(algorithm);

    test('is taken from the key that made it, and of no other', async () => {
      assert.equal(isSigned(token, algorithm, await publicKeyOf(key, algorithm)), true);
      const other = await makeKey(algorithm, 'k');
      assert.equal(isSigned(token, algorithm, await publicKeyOf(other, algorithm)), false);
    });

    test('is judged as jose judges it, whatever was done to it', async () => {
      const publicKey = await publicKeyOf(key, algorithm);
      const good = signatureOf(token);
      const zeros = Buffer.alloc(good.length);
      const ones = Buffer.alloc(good.length, 0xff);
      const half = good.length / 2;
      const changed = [
        ...[zeros, ones, Buffer.from([0]), good.subarray(1), good.subarray(0, -1)],
        ...[Buffer.concat([good, Buffer.from([0])]), Buffer.concat([Buffer.from([0]), good])],
        ...[
          Buffer.concat([good, good]),
          Buffer.concat([good.subarray(half), good.subarray(0, half)]),
        ],
        ...[Buffer.concat([zeros.subarray(0, half), good.subarray(half)])],
        ...[Buffer.concat([good.subarray(0, half), zeros.subarray(half)])],
      ];
      for (const signature of changed) {
        const altered = withSignature(token, signature);
        assert.equal(await asJose(altered, algorithm, key), false);
        assert.equal(isSigned(altered, algorithm, publicKey), false, signature.toString('hex'));
      }
      // The last character has bits to spare: other spellings of the same octets.
      for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=') {
        const altered = token.slice(0, -1) + last;
        assert.equal(isSigned(altered, algorithm, publicKey), altered === token, last);
      }
      await fc.assert(
        fc.asyncProperty(
          fc.nat(token.length - 1),
          fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_', '.'),
          async (at, by) => {
            const altered = token.slice(0, at) + by + token.slice(at + 1);
            const isGood = isSigned(altered, algorithm, publicKey);
            assert.equal(isGood, altered === token);
            // jose does not mind other spellings of the same octets; see parse-token.ts.
            assert.ok(!isGood || (await asJose(altered, algorithm, key)));
          },
        ),
        { numRuns: 100 },
      );
    });

    test('is of the algorithm that was asked for', async () => {
      for (const other of algorithms) {
        if (other === algorithm) continue;
        const publicKey = await publicKeyOf(key, algorithm);
        assert.equal(isSigned(token, other, publicKey), false, other);
        // The header may say what it will: the signature is not of that algorithm.
        const renamed = withSignature(forge({ alg: other, kid: 'k' }), signatureOf(token));
        assert.equal(isSigned(renamed, other, publicKey), false, other);
      }
    });
  });
}

test('a signature of PS* has a salt as long as the digest', async () => {
  const { key } = signer('PS256');
  const publicKey = await publicKeyOf(key, 'PS256');
  const head = `${base64url({ alg: 'PS256', kid: 'k' })}.${base64url(goodClaims)}`;
  for (const saltLength of [0, 20, 31, 32, 33, 64]) {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const signature = signOctets('sha256', Buffer.from(head), {
      ...{ key: KeyObject.from(key.privateKey), padding, saltLength },
    });
    const token = `${head}.${signature.toString('base64url')}`;
    assert.equal(isSigned(token, 'PS256', publicKey), saltLength === 32, `salt of ${saltLength}`);
    assert.equal(await asJose(token, 'PS256', key), saltLength === 32);
  }
});

test('a signature of ES* is R and S side by side, not DER', async () => {
  const { key, token } = signer('ES256');
  const signed = Buffer.from(token.slice(0, token.lastIndexOf('.')));
  const der = signOctets('sha256', signed, KeyObject.from(key.privateKey));
  const altered = withSignature(token, der);
  assert.equal(isSigned(altered, 'ES256', await publicKeyOf(key, 'ES256')), false);
  assert.equal(await asJose(altered, 'ES256', key), false);
});

test('a header that asks for an extension, or says a thing twice, is none', async () => {
  const { key } = signer('ES256');
  const publicKey = await publicKeyOf(key, 'ES256');
  const signAs = (header: string): string => {
    const head = `${base64url(header)}.${base64url(goodClaims)}`;
    const signature = signOctets('sha256', Buffer.from(head), {
      ...{ key: KeyObject.from(key.privateKey), dsaEncoding: 'ieee-p1363' },
    });
    return `${head}.${signature.toString('base64url')}`;
  };
  assert.equal(isSigned(signAs('{"alg":"ES256"}'), 'ES256', publicKey), true);
  for (const header of [
    ...['{"alg":"ES256","crit":["x"],"x":1}', '{"alg":"ES256","b64":false}', '[]', '{'],
    ...['{"alg":"ES256","b64":true,"crit":["b64"]}', '{"alg":"none","alg":"ES256"}', '{}'],
  ]) {
    assert.equal(isSigned(signAs(header), 'ES256', publicKey), false, header);
  }
});

describe('a key', () => {
  const outcomeFor = (jwk: PublicJwk, algorithm: Algorithm, thumbprint: string) =>
    verifySignature({ token: signer(algorithm).token, algorithm, jwk, thumbprint });
  const publicJwk = (key: TestKey): PublicJwk => key.jwk as PublicJwk;

  test('of another type or curve than the algorithm needs is not used', async () => {
    for (const algorithm of algorithms) {
      for (const other of algorithms) {
        const [of, needed] = [keyTypeByAlgorithm.get(other), keyTypeByAlgorithm.get(algorithm)];
        if (of?.kty === needed?.kty && of?.crv === needed?.crv) continue;
        const { kty, crv, n, e, x, y } = signer(other).key.jwk;
        const jwk = { kty, crv, n, e, x, y } as PublicJwk;
        assert.equal(await outcomeFor(jwk, algorithm, `${algorithm} ${other}`), 'failed');
      }
    }
  });

  test('of RSA with less than 2048 bits is not used', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2040 });
    const jwk = publicKey.export({ format: 'jwk' }) as PublicJwk;
    assert.equal(await outcomeFor(jwk, 'RS256', 'short'), 'failed');
  });

  test('that is private or symmetric is not used', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = privateKey.export({ format: 'jwk' }) as PublicJwk;
    assert.equal(await outcomeFor(jwk, 'RS256', 'private'), 'failed');
    const secret = { kty: 'oct', k: 'AAAA' } as unknown as PublicJwk;
    assert.equal(await outcomeFor(secret, 'RS256', 'secret'), 'failed');
  });

  test('is remembered for its algorithm alone', async () => {
    for (const algorithm of algorithms) {
      const jwk = publicJwk(signer(algorithm).key);
      assert.equal(await outcomeFor(jwk, algorithm, 'one'), 'valid', algorithm);
    }
  });
});
