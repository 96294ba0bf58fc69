import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { createSealer } from '../../../src/mcp/seal.ts';
import type { SealBinding } from '../../../src/mcp/seal-binding.ts';
import { openAddress, sealAddress } from '../../../src/mcp/sse-downstream/stream-address.ts';

let nowMs = 1_000_000;
const sealer = createSealer({ keys: [randomBytes(32)], clock: () => nowMs, lifetimeMs: 60_000 });
const alice = { kind: 'subject', issuer: 'i', subject: 'alice' } as const;
const binding: SealBinding = { owner: alice, backend: 'a/b' };
const address = { workerId: 'w', streamId: 's' };
const sealed = sealAddress(sealer, binding, address) ?? assert.fail();

describe('the address of a stream', () => {
  test('is opened for whom it was sealed', () =>
    assert.deepEqual(openAddress(sealer, binding, sealed), address));

  const others: readonly [string, SealBinding, string][] = [
    ['another principal', { ...binding, owner: { ...alice, subject: 'bob' } }, sealed],
    ['nobody', { ...binding, owner: { kind: 'anonymous' } }, sealed],
    ['another backend', { ...binding, backend: 'a/c' }, sealed],
    ['a changed text', binding, `${sealed}A`],
    ['an empty text', binding, ''],
    ['an id of another kind', binding, sealer.seal('session', binding, '["w","s"]') ?? ''],
    ['what is no address', binding, sealer.seal('sse', binding, '{}') ?? ''],
    ['what is not JSON', binding, sealer.seal('sse', binding, 'w s') ?? ''],
    ['an address without a stream', binding, sealer.seal('sse', binding, '["w"]') ?? ''],
  ];
  for (const [name, other, text] of others) {
    test(`is not opened for ${name}`, () => assert.equal(openAddress(sealer, other, text), null));
  }

  test('is not opened after its time', () => {
    nowMs += 60_000;
    assert.equal(openAddress(sealer, binding, sealed), null);
  });
});
