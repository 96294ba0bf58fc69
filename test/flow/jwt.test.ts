/** Every algorithm that the gate accepts and every way in which a token is refused, over the wire. */
import assert from 'node:assert/strict';
import { createHmac, createPublicKey } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { mcpHeaders, ping, sendMcp } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, localJwks } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { algorithms, createIssuer, type TokenIssuer } from '../harness/token-issuer.ts';

const now = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const invalid = (error: string) =>
  `authentication failure: the token is invalid or malformed: Error(${error})`;
const MALFORMED = 'authentication failure: the token header is malformed: Error(InvalidToken)';

interface Refusal {
  readonly name: string;
  readonly token: () => string | Promise<string>;
  readonly body: string | RegExp;
}

describe('a token', () => {
  let gate: Gate;
  const issuers = new Map<string, TokenIssuer>();
  const issuer = () => issuers.get('ES256')!;

  before(async () => {
    for (const alg of algorithms) {
      issuers.set(alg, await createIssuer({ alg, kid: `key-${alg}` }));
    }
    const keys = [...issuers.values()].map(({ jwk }) => jwk);
    const upstream = await startFakeUpstream(fileScope);
    gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      more: [
        glooPolicy(
          glooJwt({
            issuer: issuer().issuer,
            audiences: ['mcp', 'other'],
            clockSkewSeconds: 60,
            ...localJwks(...keys, { kty: 'RSA', kid: 'broken', n: '!', e: 'AQAB' }),
          }),
        ),
      ],
    });
  });

  for (const alg of algorithms) {
    test(`signed with ${alg} passes, and no longer when one octet of it changes`, async () => {
      const token = await issuers.get(alg)!.sign({ aud: 'mcp', sub: 'alice' });
      const answer = await sendMcp(gate.port, ping, { token });
      assert.equal(answer.status, 200, answer.text);

      const [header, payload, signature] = token.split('.') as [string, string, string];
      const octets = Buffer.from(signature, 'base64url');
      octets[10]! ^= 1;
      const forged = `${header}.${payload}.${octets.toString('base64url')}`;
      const refused = await sendMcp(gate.port, ping, { token: forged });
      assert.equal(refused.status, 403);
      assert.equal(refused.text, invalid('InvalidSignature'));
    });
  }

  for (const [name, claims] of [
    ['with one of several audiences', { aud: ['x', 'other'] }],
    ['that expired within the clock skew', { aud: 'mcp', exp: now() - 30 }],
    ['that is valid within the clock skew', { aud: 'mcp', nbf: now() + 30 }],
  ] as const) {
    test(`${name} passes`, async () => {
      const answer = await sendMcp(gate.port, ping, { token: await issuer().sign(claims) });
      assert.equal(answer.status, 200, answer.text);
    });
  }

  const payload = () => encode({ iss: issuer().issuer, aud: 'mcp', exp: now() + 60 });

  const refusals: readonly Refusal[] = [
    { name: 'that is a word', token: () => 'abcdefg', body: MALFORMED },
    {
      name: 'with two parts',
      token: () => `${encode({ alg: 'ES256' })}.${payload()}`,
      body: MALFORMED,
    },
    { name: 'with five parts', token: () => 'a.b.c.d.e', body: MALFORMED },
    { name: 'whose header is no JSON', token: () => `bm9wZQ.${payload()}.AA`, body: MALFORMED },
    {
      name: 'without kid',
      token: () => issuer().sign({ aud: 'mcp' }, { kid: undefined }),
      body: 'authentication failure: the token header does not specify a `kid`',
    },
    {
      name: 'of an unknown key',
      token: () => issuer().sign({ aud: 'mcp' }, { kid: 'unknown' }),
      body: 'authentication failure: token uses the unknown key "unknown"',
    },
    {
      name: 'of the key that the set could not use',
      token: () => issuer().sign({ aud: 'mcp' }, { kid: 'broken' }),
      body: /^authentication failure: /,
    },
    {
      name: 'with the kid of another key',
      token: () => issuer().sign({ aud: 'mcp' }, { kid: 'key-ES384' }),
      body: /Error\(Invalid(Signature|Algorithm)\)$/,
    },
    {
      name: 'with alg none',
      token: () => `${encode({ alg: 'none', kid: 'key-ES256' })}.${payload()}.`,
      body: /^authentication failure: the token /,
    },
    {
      name: "with an HMAC by the issuer's public key",
      token: () => {
        const pem = createPublicKey({ key: issuers.get('RS256')!.jwk as never, format: 'jwk' });
        const secret = pem.export({ type: 'spki', format: 'pem' });
        const signed = `${encode({ alg: 'HS256', kid: 'key-RS256' })}.${payload()}`;
        return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
      },
      body: invalid('InvalidAlgorithm'),
    },
    {
      name: 'with a critical header that nobody knows',
      token: async () => {
        const [, body, signature] = (await issuer().sign({ aud: 'mcp' })).split('.');
        const header = { alg: 'ES256', kid: 'key-ES256', crit: ['x'], x: 1 };
        return `${encode(header)}.${body}.${signature}`;
      },
      body: /^authentication failure: /,
    },
    {
      name: 'that has expired',
      token: () => issuer().sign({ aud: 'mcp', exp: now() - 61 }),
      body: invalid('ExpiredSignature'),
    },
    {
      name: 'without exp',
      token: () => issuer().sign({ aud: 'mcp', exp: undefined }),
      body: invalid('MissingRequiredClaim("exp")'),
    },
    {
      name: 'whose exp is a text',
      token: () => issuer().sign({ aud: 'mcp', exp: '4102444800' }),
      body: invalid('InvalidClaimFormat'),
    },
    {
      name: 'that is not valid yet',
      token: () => issuer().sign({ aud: 'mcp', nbf: now() + 90 }),
      body: invalid('ImmatureSignature'),
    },
    {
      name: 'of another issuer',
      token: () => issuer().sign({ aud: 'mcp', iss: 'https://other.test' }),
      body: invalid('InvalidIssuer'),
    },
    {
      name: 'without issuer',
      token: () => issuer().sign({ aud: 'mcp', iss: undefined }),
      body: invalid('InvalidIssuer'),
    },
    {
      name: 'for another audience',
      token: () => issuer().sign({ aud: 'elsewhere' }),
      body: invalid('InvalidAudience'),
    },
    { name: 'without audience', token: () => issuer().sign(), body: invalid('InvalidAudience') },
  ];

  for (const { name, token, body } of refusals) {
    test(`${name} is refused`, async () => {
      const compact = await token();
      for (const round of ['first', 'remembered']) {
        const answer = await sendMcp(gate.port, ping, { token: compact });
        assert.equal(answer.status, 403, round);
        if (typeof body === 'string') assert.equal(answer.text, body, round);
        else assert.match(answer.text, body, round);
      }
    });
  }

  test('of another scheme counts as no token', async () => {
    const answer = await sendMcp(gate.port, ping, { headers: { authorization: 'Basic YTpi' } });
    assert.equal(answer.status, 403);
    assert.equal(answer.text, 'authentication failure: no bearer token found');
  });

  test('is found whatever the case of the scheme', async () => {
    const token = await issuer().sign({ aud: 'mcp' });
    const answer = await sendMcp(gate.port, ping, {
      headers: { ...mcpHeaders(), authorization: `bearer ${token}` },
    });
    assert.equal(answer.status, 200);
  });

  test('that expires while it is remembered is refused from then on', async () => {
    const token = await issuer().sign({ aud: 'mcp', exp: now() - 58 });
    assert.equal((await sendMcp(gate.port, ping, { token })).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 3500));
    const answer = await sendMcp(gate.port, ping, { token });
    assert.equal(answer.status, 403);
    assert.equal(answer.text, invalid('ExpiredSignature'));
  });
});

for (const [option, status] of [
  ['401', 401],
  ['403', 403],
  ['auto', 403],
] as const) {
  test(`--auth-failure-status ${option} answers ${status} for a missing token`, async (t) => {
    const issuer = await createIssuer();
    const upstream = await startFakeUpstream(t);
    const gate = await startGate(t, {
      upstreamPort: upstream.port,
      options: [`--auth-failure-status=${option}`],
      more: [glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }))],
    });
    const answer = await sendMcp(gate.port, ping);
    assert.equal(answer.status, status);
    assert.equal(answer.text, 'authentication failure: no bearer token found');
    assert.equal(answer.headers['www-authenticate'] !== undefined, status === 401);
  });
}
