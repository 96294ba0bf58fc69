import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { RequestHead } from '../../src/accept/request-head.ts';
import type { Principal } from '../../src/authenticate/principal.ts';
import { requestHeaders, type UpstreamIdentity } from '../../src/forward/request-headers.ts';
import { PrincipalFindings } from '../../src/principal-findings.ts';

const headWith = (headers: string[]): RequestHead => ({
  method: 'POST',
  path: '/',
  query: null,
  headers,
  host: 'gate.test',
  authority: 'Gate.test:8080',
  scheme: 'https',
  remoteAddress: '192.0.2.7',
  remotePort: null,
});
const nobody: UpstreamIdentity = {
  principal: null,
  tokensToRemove: [],
  keptTokenHeader: '',
  reservedHeaders: new Set(),
};
const alice: Principal = {
  provider: 'p',
  issuer: null,
  subject: 'alice',
  claims: {},
  expiresAtMs: 0,
  keepToken: false,
  headersToSet: ['x-user', 'alice'],
  headersToAppend: ['x-group', 'staff'],
  findings: new PrincipalFindings(),
};
const forwarded = [
  'x-forwarded-for',
  '192.0.2.7',
  'x-forwarded-host',
  'Gate.test:8080',
  'x-forwarded-proto',
  'https',
];
/** What goes up besides Host and X-Forwarded-*. */
function sent(headers: string[], identity: Partial<UpstreamIdentity> = {}, dropCookies = true) {
  const fields = requestHeaders(
    headWith(headers),
    'up.test',
    { ...nobody, ...identity },
    { cookies: dropCookies, acceptEncoding: false },
  );
  assert.deepEqual(fields.slice(0, 2), ['host', 'up.test']);
  assert.deepEqual(fields.slice(-6), forwarded);
  return fields.slice(2, -6);
}

describe('fields of the client', () => {
  const rows: readonly [string, string[], Partial<UpstreamIdentity>, string[]][] = [
    [
      'others pass in their order, repeated ones too',
      ['b', '1', 'a', '2', 'b', '3'],
      {},
      ['b', '1', 'a', '2', 'b', '3'],
    ],
    ['Authorization does not pass', ['authorization', 'Bearer x', 'a', '1'], {}, ['a', '1']],
    [
      'Authorization does not pass where another field is kept',
      ['authorization', 'Bearer x', 'x-token', 't'],
      { keptTokenHeader: 'x-token' },
      ['x-token', 't'],
    ],
    [
      'Authorization passes where the policy keeps it',
      ['authorization', 'Bearer x'],
      { keptTokenHeader: 'authorization' },
      ['authorization', 'Bearer x'],
    ],
    [
      'a token in another field is removed',
      ['x-token', 't', 'a', '1'],
      { tokensToRemove: [{ in: 'header', name: 'x-token' }] },
      ['a', '1'],
    ],
    [
      'a query token removes no field of its name',
      ['x-token', 't'],
      { tokensToRemove: [{ in: 'query', name: 'x-token' }] },
      ['x-token', 't'],
    ],
    [
      'a kept token does not save one that is to be removed',
      ['authorization', 'Bearer x'],
      {
        keptTokenHeader: 'authorization',
        tokensToRemove: [{ in: 'header', name: 'authorization' }],
      },
      [],
    ],
    [
      'hop-by-hop fields do not pass',
      [
        'connection',
        'close',
        'keep-alive',
        'x',
        'te',
        'trailers',
        'trailer',
        'x',
        'transfer-encoding',
        'chunked',
        'upgrade',
        'websocket',
        'proxy-authorization',
        'x',
        'proxy-connection',
        'x',
        'a',
        '1',
      ],
      {},
      ['a', '1'],
    ],
    [
      'fields that Connection names do not pass',
      ['connection', 'X-Hop, close', 'x-hop', '1', 'a', '1'],
      {},
      ['a', '1'],
    ],
    [
      'also where a first Connection names nothing',
      ['connection', 'keep-alive', 'connection', 'x-hop', 'x-hop', '1', 'a', '1'],
      {},
      ['a', '1'],
    ],
    [
      'framing, Host and Expect are not the client\u2019s',
      ['host', 'evil', 'content-length', '5', 'expect', '100-continue'],
      {},
      [],
    ],
    [
      'who the client is is ours to say',
      [
        'forwarded',
        'for=1',
        'x-forwarded-for',
        '1',
        'x-forwarded-host',
        'h',
        'x-forwarded-proto',
        'p',
        'x-forwarded-port',
        '1',
        'x-real-ip',
        '1',
        'x_forwarded_for',
        '1',
        'x-real_ip',
        '1',
      ],
      {},
      [],
    ],
    [
      'copies of claim fields do not pass, with a token or without',
      ['x-user', 'root', 'x_user', 'root', 'a', '1'],
      { reservedHeaders: new Set(['x-user']) },
      ['a', '1'],
    ],
    [
      'a claim field with an underscore is protected too',
      ['x_user', 'root'],
      { reservedHeaders: new Set(['x_user']) },
      [],
    ],
    [
      'text in UTF-8 goes on as the octets it came in',
      ['a', 'é日'],
      {},
      ['a', '\u00c3\u00a9\u00e6\u0097\u00a5'],
    ],
    [
      'a value that is the name of a refused field passes',
      ['a', 'authorization', 'b', 'connection'],
      {},
      ['a', 'authorization', 'b', 'connection'],
    ],
  ];
  for (const [name, headers, identity, expected] of rows) {
    test(name, () => assert.deepEqual(sent(headers, identity), expected));
  }
});

test('claims take the place of the client\u2019s copies', () => {
  const identity = { principal: alice, reservedHeaders: new Set(['x-user', 'x-group']) };
  assert.deepEqual(sent(['x-user', 'root', 'x-group', 'admins', 'X', '1'], identity), [
    'X',
    '1',
    'x-user',
    'alice',
    'x-group',
    'staff',
  ]);
});

test('Connection can not take a claim away', () => {
  const identity = { principal: alice, reservedHeaders: new Set(['x-user']) };
  const fields = sent(['connection', 'x-user, x-forwarded-for, host'], identity);
  assert.deepEqual(fields, ['x-user', 'alice', 'x-group', 'staff']);
});

test('cookies pass to backends that get the client\u2019s request, not to MCP servers', () => {
  assert.deepEqual(sent(['cookie', 'a=b'], {}, true), []);
  assert.deepEqual(sent(['cookie', 'a=b'], {}, false), ['cookie', 'a=b']);
});

test('no token, hop-by-hop field or forged identity ever passes', () => {
  const name = fc.constantFrom(
    'authorization', 'x-token', 'x-user', 'x_user', 'connection', 'te', 'upgrade', 'x-forwarded-for',
    'x-real-ip', 'accept', 'mcp-session-id', 'x-hop', 'cookie', 'content-length', 'proxy-authorization',
  ); // prettier-ignore
  const value = fc.constantFrom('x-hop', 'keep-alive', 'secret', 'close, x-hop');
  const refused =
    /^(authorization|x-token|x.user|connection|te|upgrade|x-real-ip|cookie|content-length|proxy-.*)$/;
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (pairs) => {
      const fields = sent(pairs.flat(), {
        tokensToRemove: [{ in: 'header', name: 'x-token' }],
        reservedHeaders: new Set(['x-user']),
      });
      const isNamed = pairs.some(
        ([field, text]) => field === 'connection' && text.includes('x-hop'),
      );
      for (let index = 0; index < fields.length; index += 2) {
        assert.doesNotMatch(fields[index] ?? '', refused);
        assert.ok(!isNamed || fields[index] !== 'x-hop');
      }
    }),
    { numRuns: 1000 },
  );
});
