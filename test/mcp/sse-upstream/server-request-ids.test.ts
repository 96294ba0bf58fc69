import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { SealBinding } from '../../../src/mcp/seal-binding.ts';
import { createSealer } from '../../../src/mcp/seal.ts';
import { readEnvelope } from '../../../src/mcp/sse-upstream/envelope.ts';
import { createServerRequestIds } from '../../../src/mcp/sse-upstream/server-request-ids.ts';
import { maxEndpointLength } from '../../../src/mcp/sse-upstream/resolve-endpoint.ts';

const sealer = createSealer({
  keys: [Buffer.alloc(32, 7)],
  clock: () => 0,
  lifetimeMs: 60_000,
});
const ids = createServerRequestIds(sealer, 'target');
const alice: SealBinding = {
  owner: { kind: 'subject', issuer: 'i', subject: 'alice' },
  backend: 'ns/mcp',
};
const bob: SealBinding = { ...alice, owner: { kind: 'subject', issuer: 'i', subject: 'bob' } };
const endpoint = '/message?sessionId=secret-of-the-server';

function envelopeOf(text: string) {
  const envelope = readEnvelope(Buffer.from(text));
  assert.ok(envelope !== null, text);
  return envelope;
}

function conceal(text: string): string {
  const shown = ids.conceal(envelopeOf(text), alice, endpoint);
  assert.ok(shown !== null);
  return shown.toString();
}

const idOf = (text: string) => (JSON.parse(text) as { id: string }).id;

test('an id comes back octet by octet as the server wrote it, and with it where it belongs', () => {
  const written = fc.oneof(
    fc.constantFrom('1', '1.0', '1e2', '-0', '12345678901234567890', '"\\u0061"', '"a\\"b"', '""'),
    fc.integer().map(String),
    fc.string({ maxLength: 100 }).map((text) => JSON.stringify(text)),
  );
  fc.assert(
    fc.property(written, fc.boolean(), (id, isError) => {
      const shown = conceal(`{"jsonrpc":"2.0", "id" : ${id} ,"method":"ping"}`);
      const outcome = isError ? '"error":{"code":1,"message":"no"}' : '"result":{"x":[1.50]}';
      const answer = envelopeOf(`{"jsonrpc":"2.0",${outcome},"id":"${idOf(shown)}"}`);
      const restored = ids.restore(answer, alice);
      assert.equal(restored?.endpoint, endpoint);
      assert.equal(restored.body.toString(), `{"jsonrpc":"2.0",${outcome},"id":${id}}`);
    }),
    { numRuns: 300 },
  );
});

test('a request and its cancellation have the same id at the client, and nothing shows through', () => {
  const request = conceal('{"id":"r-1","method":"elicitation/create","params":{}}');
  const cancelled = conceal('{"method":"notifications/cancelled","params":{"requestId":"r-1"}}');
  const { params } = JSON.parse(cancelled) as { params: { requestId: string } };
  assert.equal(params.requestId, idOf(request));
  assert.ok(!Buffer.from(idOf(request), 'base64url').includes('secret-of-the-server'));
});

test('the token with which a server asks for progress is replaced, and put back', () => {
  const request = conceal(
    '{"id":5,"method":"sampling/createMessage","params":{"_meta":{"progressToken":6.0},"x":1}}',
  );
  const parsed = JSON.parse(request) as { params: { _meta: { progressToken: string }; x: number } };
  assert.equal(parsed.params.x, 1);
  const token = parsed.params._meta.progressToken;
  const progress = envelopeOf(
    `{"method":"notifications/progress","params":{"progressToken":"${token}","progress":1}}`,
  );
  assert.equal(
    ids.restore(progress, alice)?.body.toString(),
    '{"method":"notifications/progress","params":{"progressToken":6.0,"progress":1}}',
  );
});

test('a message without an id to replace stays as it is', () => {
  const text = '{"method":"notifications/tools/list_changed","params":{"requestId":1}}';
  assert.equal(conceal(text), text);
});

describe('an id that was not made for it is not put back', () => {
  const sealed = idOf(conceal('{"id":1,"method":"ping"}'));
  const other = createServerRequestIds(sealer, 'other-target');
  const foreign = sealer.sealLasting('request', alice, '["x","target","/x","1"]') ?? '';
  const rows: readonly [string, string, SealBinding, typeof ids][] = [
    ['another owner', `"${sealed}"`, bob, ids],
    ['another backend', `"${sealed}"`, { ...alice, backend: 'ns/other' }, ids],
    ['another target', `"${sealed}"`, alice, other],
    ['a changed one', `"${sealed.slice(0, -2)}AA"`, alice, ids],
    ['a plain one', '"1"', alice, ids],
    ['a number', '1', alice, ids],
    ['one that another part of the gate has sealed', `"${foreign}"`, alice, ids],
  ];
  for (const [name, id, binding, through] of rows) {
    test(name, () => {
      assert.equal(through.restore(envelopeOf(`{"id":${id},"result":{}}`), binding), null);
    });
  }
});

test('an id fits into what clients may send back, or is refused', () => {
  const longest = `/${'x'.repeat(maxEndpointLength - 1)}`;
  const fits = ids.conceal(envelopeOf('{"id":12345,"method":"ping"}'), alice, longest);
  assert.ok(fits !== null && idOf(fits.toString()).length <= 1024);
  const long = envelopeOf(`{"id":"${'x'.repeat(2000)}","method":"ping"}`);
  assert.equal(ids.conceal(long, alice, endpoint), null);
});
