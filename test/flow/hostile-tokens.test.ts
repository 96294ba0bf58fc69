/**
 * Tokens made to deceive. Each is tried cold, then once more where a refusal may have been remembered, and
 * then the right token has to pass: nothing that an attacker sends may spoil or take its place in the cache.
 */
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, createSign, generateKeyPairSync, sign } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, localJwks } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer, type TokenIssuer } from '../harness/token-issuer.ts';

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const soon = (): number => Math.floor(Date.now() / 1000) + 600;

describe('a token made to deceive', () => {
  let gate: Gate;
  let upstream: FakeUpstream;
  let rsa: TokenIssuer;
  let ec: TokenIssuer;
  let ed: TokenIssuer;
  let stranger: TokenIssuer;
  const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const attackerEc = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  before(async () => {
    rsa = await createIssuer({ alg: 'RS256', kid: 'rsa' });
    ec = await createIssuer({ alg: 'ES256', kid: 'ec' });
    ed = await createIssuer({ alg: 'EdDSA', kid: 'ed' });
    stranger = await createIssuer({ alg: 'RS256', kid: 'stranger', issuer: 'https://other.test' });
    upstream = await startFakeUpstream(fileScope);
    const jwt = glooJwt({
      issuer: rsa.issuer,
      audiences: ['mcp'],
      ...localJwks(rsa.jwk, ec.jwk, ed.jwk),
    });
    gate = await startGate(fileScope, { upstreamPort: upstream.port, more: [glooPolicy(jwt)] });
  });

  const claims = (more: object = {}) => ({
    iss: rsa.issuer,
    aud: 'mcp',
    sub: 'alice',
    exp: soon(),
    ...more,
  });
  const good = (): Promise<string> => rsa.sign({ aud: 'mcp', sub: 'alice' });
  /** Signed by a key that the gate does not know. */
  const forge = (header: object, payload: unknown = claims()): string => {
    const text = `${encode(header)}.${encode(payload)}`;
    const signature = createSign('sha256').update(text).sign(attacker.privateKey, 'base64url');
    return `${text}.${signature}`;
  };
  const unsigned = (header: object, signature: string): string =>
    `${encode(header)}.${encode(claims())}.${signature}`;
  const hmac = (secret: string | Buffer, alg: string, kid = 'rsa'): string => {
    const text = `${encode({ alg, kid, typ: 'JWT' })}.${encode(claims())}`;
    const hash = `sha${alg.slice(2)}`;
    return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
  };
  const publicKey = (issuer: TokenIssuer) => createPublicKey({ key: issuer.jwk, format: 'jwk' });
  const attackerJwk = () => attacker.publicKey.export({ format: 'jwk' });
  /** A good token with one of its parts changed. */
  const changed = async (change: (parts: [string, string, string]) => readonly string[]) =>
    change((await good()).split('.') as [string, string, string]).join('.');

  const rows: readonly (readonly [name: string, token: () => string | Promise<string>])[] = [
    // alg none in all its spellings.
    ...['none', 'None', 'NONE', 'nOnE', ' none', 'none ', '', 'null'].flatMap(
      (alg) =>
        [
          [
            `alg ${JSON.stringify(alg)} without a signature`,
            () => unsigned({ alg, kid: 'rsa' }, ''),
          ],
          [
            `alg ${JSON.stringify(alg)} with some signature`,
            () => unsigned({ alg, kid: 'rsa' }, 'AA'),
          ],
        ] as const,
    ),
    ['no alg', () => unsigned({ kid: 'rsa' }, 'AA')],
    ['alg null', () => unsigned({ alg: null, kid: 'rsa' }, 'AA')],
    ['alg in a list', () => unsigned({ alg: ['RS256'], kid: 'rsa' }, 'AA')],
    ['alg as an object', () => unsigned({ alg: { toString: 'RS256' }, kid: 'rsa' }, 'AA')],
    [
      'alg in lower case',
      async () => changed(([, p, s]) => [encode({ alg: 'rs256', kid: 'rsa' }), p, s]),
    ],

    // The public key as a secret.
    ...(['HS256', 'HS384', 'HS512'] as const).flatMap(
      (alg) =>
        [
          [
            `${alg} by the public key in PEM (SPKI)`,
            () => hmac(publicKey(rsa).export({ type: 'spki', format: 'pem' }), alg),
          ],
          [
            `${alg} by the public key in PEM (PKCS 1)`,
            () => hmac(publicKey(rsa).export({ type: 'pkcs1', format: 'pem' }), alg),
          ],
          [
            `${alg} by the public key in DER`,
            () => hmac(publicKey(rsa).export({ type: 'spki', format: 'der' }), alg),
          ],
          [`${alg} by the JWK's text`, () => hmac(JSON.stringify(rsa.jwk), alg)],
          [`${alg} by the modulus`, () => hmac(Buffer.from(rsa.jwk.n ?? '', 'base64url'), alg)],
          [`${alg} by nothing`, () => hmac('', alg)],
        ] as const,
    ),
    ['HS256 by the EC point', () => hmac(Buffer.from(ec.jwk.x ?? '', 'base64url'), 'HS256', 'ec')],
    [
      'HS256 by the Ed25519 key',
      () => hmac(Buffer.from(ed.jwk.x ?? '', 'base64url'), 'HS256', 'ed'),
    ],

    // Keys that the token brings along.
    ['a key in jwk', () => forge({ alg: 'RS256', kid: 'rsa', jwk: attackerJwk() })],
    ['a key in jwk, no kid', () => forge({ alg: 'RS256', jwk: attackerJwk() })],
    ['a key behind jku', () => forge({ alg: 'RS256', kid: 'rsa', jku: 'http://127.0.0.1:1/jwks' })],
    ['a key behind x5u', () => forge({ alg: 'RS256', kid: 'rsa', x5u: 'http://127.0.0.1:1/c' })],
    ['a certificate in x5c', () => forge({ alg: 'RS256', kid: 'rsa', x5c: ['MIIB'] })],

    // kid.
    ...[
      ...['../../dev/null', '/dev/null', '..%2f', "' OR '1'='1", 'rsa\0', ' rsa', 'rsa ', 'RSA'],
      ...['__proto__', 'constructor', 'toString', 'rsa\n', 'http://127.0.0.1:1', 'a'.repeat(9000)],
    ].map(
      (kid) =>
        [`kid ${JSON.stringify(kid.slice(0, 30))}`, () => forge({ alg: 'RS256', kid })] as const,
    ),
    ['kid as a number', () => forge({ alg: 'RS256', kid: 0 })],
    ['kid in a list', () => forge({ alg: 'RS256', kid: ['rsa'] })],
    ['kid null', () => forge({ alg: 'RS256', kid: null })],
    ['an empty kid', () => forge({ alg: 'RS256', kid: '' })],
    ['the kid of an EC key for RSA', () => forge({ alg: 'RS256', kid: 'ec' })],
    [
      'the kid of an RSA key for EC',
      async () => changed(([, p, s]) => [encode({ alg: 'ES256', kid: 'rsa' }), p, s]),
    ],
    [
      'PS256 with a signature of RS256',
      async () => changed(([, p, s]) => [encode({ alg: 'PS256', kid: 'rsa' }), p, s]),
    ],
    [
      'RS512 with a signature of RS256',
      async () => changed(([, p, s]) => [encode({ alg: 'RS512', kid: 'rsa' }), p, s]),
    ],
    ['RS1', () => forge({ alg: 'RS1', kid: 'rsa' })],
    ['RSA1_5', () => forge({ alg: 'RSA1_5', kid: 'rsa' })],
    ['ES256K', () => forge({ alg: 'ES256K', kid: 'ec' })],

    // Extensions.
    ['crit with something unknown', () => signedHeader({ crit: ['x'], x: 1 })],
    ['crit that is empty', () => signedHeader({ crit: [] })],
    ['crit with exp', () => signedHeader({ crit: ['exp'], exp: 1 })],
    ['b64 false', () => signedHeader({ crit: ['b64'], b64: false })],
    ['b64 false without crit', () => signedHeader({ b64: false })],
    [
      'zip with a deflated payload',
      () =>
        signedText(
          encode({ alg: 'RS256', kid: 'rsa', zip: 'DEF' }),
          deflateRawSync(JSON.stringify(claims())).toString('base64url'),
        ),
    ],

    // Members that are there twice.
    [
      'two algs',
      () => signedText(encode(`{"alg":"none","alg":"RS256","kid":"rsa"}`), encode(claims())),
    ],
    [
      'two algs, one escaped',
      () => signedText(encode(`{"\\u0061lg":"none","alg":"RS256","kid":"rsa"}`), encode(claims())),
    ],
    [
      'two kids',
      () => signedText(encode(`{"alg":"RS256","kid":"x","kid":"rsa"}`), encode(claims())),
    ],
    ['two subs', () => signedPayload(`{"sub":"bob",${JSON.stringify(claims()).slice(1)}`)],
    ['two exps', () => signedPayload(`{"exp":1,${JSON.stringify(claims()).slice(1)}`)],
    ['two issuers', () => signedPayload(`{"iss":"x",${JSON.stringify(claims()).slice(1)}`)],
    [
      'a member twice, deep inside',
      () =>
        signedPayload(JSON.stringify(claims({ a: 0 })).replace('"a":0', '"a":{"b":{"c":1,"c":2}}')),
    ],

    // Payloads.
    ['no payload', async () => changed(([h, , s]) => [h, '', s])],
    ['a payload in a list', () => signedPayload(JSON.stringify([claims()]))],
    ['a payload that is a text', () => signedPayload(JSON.stringify('alice'))],
    ['a payload that is null', () => signedPayload('null')],
    ['a byte order mark', () => signedPayload(`\ufeff${JSON.stringify(claims())}`)],
    ['text behind the payload', () => signedPayload(`${JSON.stringify(claims())} x`)],
    [
      'a payload that is not UTF-8',
      () =>
        signedText(
          encode({ alg: 'RS256', kid: 'rsa' }),
          Buffer.from('{"sub":"\xff"}', 'latin1').toString('base64url'),
        ),
    ],
    ['a payload of 100,000 brackets', () => signedPayload('['.repeat(100_000))],
    ['exp as a text', () => rsa.sign({ aud: 'mcp', exp: String(soon()) })],
    ['exp NaN', () => signedPayload(JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":NaN'))],
    [
      'exp of 1e400',
      () => signedPayload(JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e400')),
    ],
    ['exp negative', () => rsa.sign({ aud: 'mcp', exp: -1 })],
    ['exp null', () => rsa.sign({ aud: 'mcp', exp: null })],
    ['exp in a list', () => rsa.sign({ aud: 'mcp', exp: [soon()] })],
    ['nbf as a text', () => rsa.sign({ aud: 'mcp', nbf: '0' })],
    ['aud as an object', () => rsa.sign({ aud: { mcp: true } })],
    ['aud with a number', () => rsa.sign({ aud: [1] })],
    ['aud in other letters', () => rsa.sign({ aud: 'MCP' })],
    ['aud with a space', () => rsa.sign({ aud: 'mcp other' })],
    ['iss in a list', () => rsa.sign({ aud: 'mcp', iss: [rsa.issuer] })],
    ['iss with a slash more', () => rsa.sign({ aud: 'mcp', iss: `${rsa.issuer}/` })],

    // Encrypted, nested, in other serialisations.
    ['five parts', async () => `${await good()}.AA.AA`],
    ['four parts', async () => `${await good()}.AA`],
    ['two parts', async () => changed(([h, p]) => [h, p])],
    [
      'a token in a token',
      async () =>
        signedText(encode({ alg: 'RS256', kid: 'rsa', cty: 'JWT' }), encode(await good())),
    ],
    [
      'the flattened JSON form',
      async () =>
        changed(([h, p, s]) => [JSON.stringify({ protected: h, payload: p, signature: s })]),
    ],

    // Two spellings of one token.
    ['padding', async () => changed(([h, p, s]) => [h, p, `${s}=`])],
    ['two paddings', async () => changed(([h, p, s]) => [h, p, `${s}==`])],
    ['base64 for base64url', async () => changed(([h, p, s]) => [h, p, `${s.slice(0, -1)}+`])],
    ['a stray bit at the end', async () => changed(([h, p, s]) => [h, p, strayBit(s)])],
    [
      'a line end within',
      async () => changed(([h, p, s]) => [h, p, `${s.slice(0, 9)}%0a${s.slice(9)}`]),
    ],
    ['a dot behind', async () => `${await good()}.`],
    ['a dot in front', async () => `.${await good()}`],
    ['a comma and more', async () => `${await good()},x`],
    ['a NUL escape behind', async () => `${await good()}%00`],

    // Signatures out of thin air.
    ['no signature', async () => changed(([h, p]) => [h, p, ''])],
    [
      'a signature of zeros',
      async () => changed(([h, p]) => [h, p, Buffer.alloc(256).toString('base64url')]),
    ],
    ['a short signature', async () => changed(([h, p, s]) => [h, p, s.slice(0, 100)])],
    [
      'a psychic ECDSA signature',
      () =>
        `${encode({ alg: 'ES256', kid: 'ec' })}.${encode(claims())}.${Buffer.alloc(64).toString('base64url')}`,
    ],
    ['an ECDSA signature in DER', () => ecWith('der')],
    ['an ECDSA signature by another key', () => ecWith('ieee-p1363')],
    [
      'an Ed25519 signature of zeros',
      () =>
        `${encode({ alg: 'EdDSA', kid: 'ed' })}.${encode(claims())}.${Buffer.alloc(64).toString('base64url')}`,
    ],
    [
      'the signature of another token',
      async () => {
        const other = (await rsa.sign({ aud: 'mcp', sub: 'bob' })).split('.')[2] ?? '';
        return changed(([h, p]) => [h, p, other]);
      },
    ],

    // Other providers, and sizes.
    ["another provider's token", () => stranger.sign({ aud: 'mcp' })],
    [
      "another provider's key under our issuer",
      () => stranger.sign({ aud: 'mcp', iss: rsa.issuer }),
    ],
    [
      "our key under another provider's issuer",
      () => rsa.sign({ aud: 'mcp', iss: stranger.issuer }),
    ],
    ['20 KiB of claims', () => rsa.sign({ aud: 'mcp', fill: 'x'.repeat(20_000) })],
    ['only dots', () => '..'],
    ['a thousand dots', () => '.'.repeat(1000)],
  ];

  function signedText(header: string, payload: string): Promise<string> {
    // jose would not make such tokens; the issuer's key signs them all the same.
    return rsa.signText(`${header}.${payload}`);
  }
  const signedHeader = (more: object): Promise<string> =>
    signedText(encode({ alg: 'RS256', kid: 'rsa', ...more }), encode(claims()));
  const signedPayload = (payload: string): Promise<string> =>
    signedText(encode({ alg: 'RS256', kid: 'rsa' }), encode(payload));
  const ecWith = (dsaEncoding: 'der' | 'ieee-p1363'): string => {
    const text = `${encode({ alg: 'ES256', kid: 'ec' })}.${encode(claims())}`;
    const key = { key: attackerEc.privateKey, dsaEncoding };
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  };

  test('the means of these tests make tokens that pass', async () => {
    for (const token of [await signedHeader({}), await signedPayload(JSON.stringify(claims()))]) {
      assert.equal((await sendMcp(gate.port, ping, { token })).status, 200);
    }
  });

  for (const [name, make] of rows) {
    test(`${name}: is refused, and spoils nothing`, async () => {
      const count = upstream.requests.length;
      const token = await make();
      for (const attempt of ['cold', 'again']) {
        const answer = await sendMcp(gate.port, ping, { token });
        const isRefused = answer.status === 403 || answer.status === 431;
        assert.ok(isRefused, `${attempt}: ${answer.status} ${answer.text}`);
        assert.equal(answer.text.includes(token), false);
      }
      assert.equal(upstream.requests.length, count, 'it reached the upstream');
      const right = await sendMcp(gate.port, ping, { token: await good() });
      assert.equal(right.status, 200, right.text);
      assert.equal(upstream.requests.length, count + 1);
    });
  }

  test('one of 1 MiB is refused before anything is made of it', async () => {
    const answer = await sendMcp(gate.port, ping, { token: 'a'.repeat(1_048_576) }).then(
      ({ status }) => status,
      () => 0,
    );
    assert.ok([0, 403, 431].includes(answer), String(answer));
    const right = await sendMcp(gate.port, ping, { token: await good() });
    assert.equal(right.status, 200);
  });

  test('one that ends while it is remembered is refused from that second on', async () => {
    // The clock skew is 60 s.
    const token = await rsa.sign({ aud: 'mcp', exp: Math.floor(Date.now() / 1000) - 58 });
    assert.equal((await sendMcp(gate.port, ping, { token })).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const late = await sendMcp(gate.port, ping, { token });
    assert.equal(late.status, 403);
    assert.match(late.text, /ExpiredSignature/);
  });

  test('nothing of any of them is in a log', () => {
    assert.doesNotMatch(gate.accessLog() + gate.processLog(), /eyJ/);
    assert.doesNotMatch(gate.processLog(), /exception|uncaught/);
  });
});

/** Sets a bit that the last character has and no octet. */
function strayBit(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(text.at(-1) ?? 'A');
  return text.slice(0, -1) + (alphabet[last ^ 1] ?? 'A');
}
