/** Where tokens, keys, media types and positions are read from, and what workers tell each other. */
import assert from 'node:assert/strict';
import { compileTokenSources, findToken } from '../../../src/authenticate/find-token.ts';
import { emptyKeySetContent, readKeySet } from '../../../src/authenticate/key-set.ts';
import { Refusal } from '../../../src/errors.ts';
import { isJsonObject, readJson } from '../../../src/json/read-json.ts';
import { openEventId, sealEventId } from '../../../src/mcp/event-id.ts';
import { openCursor, sealCursor } from '../../../src/mcp/federation/cursor.ts';
import { matchesTemplate } from '../../../src/mcp/federation/match-template.ts';
import { mediaTypeOf } from '../../../src/mcp/media-type.ts';
import { createSealer } from '../../../src/mcp/seal.ts';
import {
  readRelayedAnswer,
  readRelayedPost,
  writeRelayedPost,
} from '../../../src/mcp/sse-downstream/relayed-post.ts';
import { isMessageOf } from '../../../src/workers/messages.ts';
import { parseUrl } from '../../../src/parse-url.ts';
import { shownUrl } from '../../../src/shown-url.ts';
import { octetsOf, type FuzzTarget } from '../target.ts';

const sources = compileTokenSources([
  { headers: [{ header: 'authorization', prefix: 'Bearer ' }], queryParams: ['access_token'] },
  { headers: [{ header: 'cookie', prefix: 'token=' }], queryParams: [] },
]);

/** A line each: the value of Authorization, of Cookie, and the query. */
const tokenPlace: FuzzTarget = {
  name: 'token-place',
  seeds: ['Bearer abc', '\ntoken=abc', '\n\naccess_token=a%2Eb&x=1', 'bearer   a b\t\n\n'],
  dictionary: ['Bearer ', 'token=', 'access_token=', '%61', '%', '&', '=', ';', ' ', '\t', '\n'],
  check(input) {
    const [authorization = '', cookie = '', query = ''] = input.split('\n');
    const headers = ['authorization', authorization, 'cookie', cookie];
    const found = findToken({ headers, query }, sources);
    if (found instanceof Refusal) {
      assert.match(found.kind.code, /^TOKEN_(MISSING|AMBIGUOUS)$/);
      return;
    }
    assert.notEqual(found.token, '');
    const { location } = found;
    if (location.in === 'query') return;
    assert.ok((location.name === 'cookie' ? cookie : authorization).includes(found.token));
    const twice = findToken({ headers: [...headers, location.name, 'x'], query }, sources);
    assert.ok(twice instanceof Refusal && twice.kind.code === 'TOKEN_AMBIGUOUS');
  },
};

const keySet: FuzzTarget = {
  name: 'key-set',
  seeds: [
    '{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"AA","y":"AA","alg":"ES256","use":"sig"}]}',
    '{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB","key_ops":["verify"]},{"kty":"oct","k":"AA"}]}',
    '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":1,"x":"AA"},null,[],"a"]}',
  ],
  dictionary: ['"kty":', '"kid":', '"n":', '"d":', '"AA"', 'null', '[', ']', '{', '}', ',', '1e9'],
  check(input) {
    const { value } = readJson(octetsOf(input), { maxDepth: 8, maxValues: 1000 });
    if (!isJsonObject(value) || !Array.isArray(value.keys)) return;
    const warnings: string[] = [];
    const { keys } = readKeySet(value.keys, emptyKeySetContent, (text) => warnings.push(text));
    assert.ok(keys.size <= value.keys.length);
    for (const warning of warnings) assert.match(warning, /^[ -~]{0,2000}$/);
  },
};

const mediaType: FuzzTarget = {
  name: 'media-type',
  seeds: ['application/json', 'text/event-stream; charset=utf-8', 'application/json\ngzip'],
  dictionary: ['application/', 'json', ';', ',', '=', '"', ' ', '\t', '\n', 'identity', 'gzip'],
  check(input) {
    const [type = '', coding] = input.split('\n');
    const headers = [
      'content-type',
      type,
      ...(coding === undefined ? [] : ['content-encoding', coding]),
    ];
    const read = mediaTypeOf(headers);
    assert.doesNotMatch(read, /;|^\s|\s$/);
    assert.equal(read, read.toLowerCase());
  },
};

/** A line each: the template and the URI. */
const uriTemplate: FuzzTarget = {
  name: 'uri-template',
  seeds: ['test://{a}/b/{+c}\ntest://1/b/2', 'a\na', '{a}\n', 'a{b}c{d}a\naca'],
  dictionary: ['{', '}', '{a}', '{?x*}', '/', '%2f', 'a', 'b', '\n', '.', '*', '+', '('],
  check(input) {
    const [template = '', uri = ''] = input.split('\n');
    // What a regular expression would say, which is not used because of its time.
    const pattern = template
      .split(/\{[^{}]*\}/)
      .map((literal) => literal.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
    if (pattern.length > 5 || uri.length > 60) {
      void matchesTemplate(template, uri);
      return;
    }
    const expected = new RegExp(`^${pattern.join('[^]*')}$`).test(uri);
    assert.equal(matchesTemplate(template, uri), template.length <= 2048 && expected);
  },
};

const sealer = createSealer({
  keys: [Buffer.alloc(32, 9)],
  clock: () => 1_800_000_000_000,
  lifetimeMs: 3_600_000,
});
const binding = { owner: { kind: 'anonymous' }, backend: 'default/mcp' } as const;

const cursor: FuzzTarget = {
  name: 'cursor',
  seeds: [
    '{"cursor":"tools/list","target":"a","at":null}',
    '{"cursor":"tools/list","at":"b"}',
    'b',
  ],
  dictionary: ['"cursor":', '"tools/list"', '"target":', '"at":', 'null', '{', '}', ',', '"', '\\'],
  check(input) {
    const position = { target: 'a', cursor: input };
    const sealed = sealCursor(sealer, binding, 'tools/list', position);
    if (sealed !== null && isWellFormed(input)) {
      assert.deepEqual(openCursor(sealer, binding, 'tools/list', sealed), position);
      assert.equal(openCursor(sealer, binding, 'prompts/list', sealed), null);
    }
    // A text that was sealed for something else, under the same kind.
    const other = sealer.seal('request', binding, input);
    if (other === null) return;
    const opened = openCursor(sealer, binding, 'tools/list', other);
    if (opened !== null) assert.equal(typeof opened.target, 'string');
  },
};

const eventId: FuzzTarget = {
  name: 'event-id',
  seeds: ['1', 'stream_123', 'ä', ''],
  dictionary: ['\0', '\r', '\n', '\t', 'a', '\ud800', '\u{1f600}'],
  check(input) {
    const sealed = sealEventId(sealer, binding, input);
    if (sealed === null) return;
    assert.match(sealed, /^[\w-]+$/);
    if (isWellFormed(input)) assert.equal(openEventId(sealer, binding, sealed), input);
    assert.equal(openEventId(sealer, { ...binding, session: 's' }, sealed), null);
  },
};

const post = writeRelayedPost({
  id: 1,
  port: '|8080',
  serverName: null,
  head: {
    ...{ method: 'POST', path: '/m', query: null, host: 'h', authority: 'h', scheme: 'http' },
    ...{ headers: ['a', 'b'], remoteAddress: '127.0.0.1', remotePort: 1 },
  },
  body: Buffer.from('{}'),
});

/** Messages between workers are JSON: the primary relays nothing else. */
const relayed: FuzzTarget = {
  name: 'relayed-message',
  seeds: [post, '{"id":1,"status":200,"headers":[],"body":"{}"}', '{"type":"sibling","to":null}'],
  dictionary: [
    '"id":',
    '"head":',
    'null',
    '{',
    '}',
    '[',
    ']',
    ',',
    '1',
    '"',
    '"type":',
    '"status":',
  ],
  check(input) {
    let value: unknown;
    try {
      value = JSON.parse(input);
    } catch {
      return;
    }
    const read = readRelayedPost(input);
    if (read !== null) assert.deepEqual(readRelayedPost(writeRelayedPost(read)), read);
    const answer = readRelayedAnswer(input);
    if (answer !== null) assert.equal(typeof answer.status, 'number');
    void isMessageOf(['sibling'], value);
  },
};

const url: FuzzTarget = {
  name: 'shown-url',
  seeds: ['https://user:CANARY@idp.test/jwks?key=CANARY#CANARY', 'http://idp.test/jwks'],
  dictionary: ['http:', '//', '@', ':', '?', '#', '/', '\\', 'CANARY', '%40', '\t', '['],
  check(input) {
    const shown = shownUrl(input);
    assert.match(shown, /^[ -~]*$/);
    const url = parseUrl(input);
    if (url === null) return;
    const { protocol, host, pathname } = url;
    if (!`${protocol}${host}${pathname}`.includes('CANARY'))
      assert.ok(!shown.includes('CANARY'), shown);
  },
};

export const placeTargets: readonly FuzzTarget[] = [
  tokenPlace,
  keySet,
  mediaType,
  uriTemplate,
  cursor,
  eventId,
  relayed,
  url,
];

function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}
