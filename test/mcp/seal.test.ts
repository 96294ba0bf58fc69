import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Principal } from '../../src/authenticate/principal.ts';
import {
  createSealer,
  hashSessionId,
  looksLasting,
  maxUpstreamIdBytes,
  sealKinds,
} from '../../src/mcp/seal.ts';
import type { Sealer } from '../../src/mcp/seal.ts';
import { bindingFields, encodeFields, ownerOf } from '../../src/mcp/seal-binding.ts';
import type { SealBinding } from '../../src/mcp/seal-binding.ts';
import { PrincipalFindings } from '../../src/principal-findings.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 10, 22);
const keys = [randomBytes(32), randomBytes(32)] as const;

const alice: SealBinding = {
  owner: { kind: 'subject', issuer: 'solo.io', subject: 'alice' },
  backend: 'default/everything',
};

function sealerAt(nowMs: number, ...used: Uint8Array[]): Sealer {
  const all = used.length === 0 ? [keys[0]] : used;
  return createSealer({ keys: all, clock: () => nowMs, lifetimeMs: 24 * hourMs });
}

function seal(sealer: Sealer, upstreamId = 'upstream-1', binding = alice): string {
  const sealed = sealer.seal('session', binding, upstreamId);
  assert.ok(sealed !== null);
  return sealed;
}

function principal(changes: Partial<Principal> = {}): Principal {
  return {
    provider: 'default/jwt/solo',
    issuer: 'solo.io',
    subject: 'alice',
    claims: { iss: 'solo.io', sub: 'alice', exp: 1 },
    expiresAtMs: 0,
    keepToken: false,
    headersToSet: [],
    headersToAppend: [],
    findings: new PrincipalFindings(),
    ...changes,
  };
}

test('what was sealed is opened, by any replica with the key', () => {
  const sealed = seal(sealerAt(startMs));
  assert.deepEqual(sealerAt(startMs + 1).open('session', alice, sealed), {
    upstreamId: 'upstream-1',
    issuedAtMs: startMs,
    needsReseal: false,
  });
});

test('any upstream id of any length comes back as it was, in characters fit for headers and URLs', () => {
  const sealer = sealerAt(startMs);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }), (id) => {
      for (const kind of sealKinds) {
        const sealed = sealer.seal(kind, alice, id);
        assert.ok(sealed !== null);
        assert.match(sealed, /^[A-Za-z0-9_-]+$/);
        assert.equal(sealer.open(kind, alice, sealed)?.upstreamId, id);
      }
    }),
  );
});

test('two seals of one id differ, and do not show it', () => {
  const sealer = sealerAt(startMs);
  const sealed = seal(sealer, 'visible-upstream-id');
  assert.notEqual(sealed, seal(sealer, 'visible-upstream-id'));
  assert.ok(!Buffer.from(sealed, 'base64url').includes('visible'));
});

test('an id opens for its own kind, owner and backend alone', () => {
  const sealer = sealerAt(startMs);
  const sealed = seal(sealer);
  for (const kind of ['task', 'event', 'sse'] as const) {
    assert.equal(sealer.open(kind, alice, sealed), null, kind);
  }
  const others: SealBinding[] = [
    { ...alice, owner: { kind: 'subject', issuer: 'solo.io', subject: 'bob' } },
    { ...alice, owner: { kind: 'subject', issuer: 'other', subject: 'alice' } },
    { ...alice, owner: { kind: 'subject', issuer: 'solo.ioa', subject: 'lice' } },
    { ...alice, owner: { kind: 'provider-subject', provider: 'solo.io', subject: 'alice' } },
    { ...alice, owner: { kind: 'anonymous' } },
    { ...alice, backend: 'default/other' },
  ];
  for (const binding of others) {
    assert.equal(sealer.open('session', binding, sealed), null, JSON.stringify(binding));
  }
});

test('no two bindings are encoded alike', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom('', '\0', 'subject', 'anonymous', '\ud800', '\ud801', '\ufffd'),
  );
  const list = fc.array(text, { maxLength: 4 });
  fc.assert(
    fc.property(list, list, (left, right) => {
      const same = JSON.stringify(left) === JSON.stringify(right);
      assert.equal(encodeFields(left).equals(encodeFields(right)), same);
    }),
    { numRuns: 2000 },
  );
  assert.notDeepEqual(encodeFields(['a', 'b']), encodeFields(['a\0\0b']));
  assert.notDeepEqual(encodeFields(['ab', 'c']), encodeFields(['a', 'bc']));
  const owner = { kind: 'anonymous' } as const;
  assert.deepEqual(bindingFields({ owner, backend: 'a/b' }), ['a/b', 'anonymous']);
});

test('a changed character anywhere is refused', () => {
  const sealer = sealerAt(startMs);
  const sealed = seal(sealer);
  for (let index = 0; index < sealed.length; index += 1) {
    for (const character of ['A', 'B', '_', '=', '+', '/', ' ', 'é']) {
      if (sealed[index] === character) continue;
      const changed = sealed.slice(0, index) + character + sealed.slice(index + 1);
      assert.equal(sealer.open('session', alice, changed), null, `${index} ${character}`);
    }
  }
  for (const changed of [`${sealed}A`, `${sealed}=`, ` ${sealed}`, sealed.slice(0, -1)]) {
    assert.equal(sealer.open('session', alice, changed), null);
  }
});

test('anything else that a client may send is refused', () => {
  const sealer = sealerAt(startMs);
  const rows = ['', 'x', 'A'.repeat(52), 'AQ'.repeat(100), 'A'.repeat(1_000_000), '\u{1f600}'];
  for (const text of rows) assert.equal(sealer.open('session', alice, text), null);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      const text = Buffer.from([1, ...octets]).toString('base64url');
      assert.equal(sealer.open('session', alice, text), null);
    }),
  );
});

test('a key of another deployment opens nothing', () => {
  const sealed = seal(sealerAt(startMs, keys[1]));
  assert.equal(sealerAt(startMs, keys[0]).open('session', alice, sealed), null);
});

test('keys are rotated: the new one seals, the old one opens until it is taken away', () => {
  const [older, newer] = keys;
  const before = seal(sealerAt(startMs, older));
  const both = sealerAt(startMs, newer, older);
  assert.equal(both.open('session', alice, before)?.needsReseal, true);
  const after = seal(both);
  assert.equal(both.open('session', alice, after)?.needsReseal, false);
  const alone = sealerAt(startMs, newer);
  assert.equal(alone.open('session', alice, before), null);
  assert.equal(alone.open('session', alice, after)?.upstreamId, 'upstream-1');
});

test('an id ends with its lifetime, and asks for another one at half of it', () => {
  const sealed = seal(sealerAt(startMs));
  const rows: [afterMs: number, outcome: 'fresh' | 'old' | 'refused'][] = [
    [0, 'fresh'],
    [12 * hourMs - 1, 'fresh'],
    [12 * hourMs, 'old'],
    [24 * hourMs - 1, 'old'],
    [24 * hourMs, 'refused'],
    [1000 * hourMs, 'refused'],
    // Another replica's clock is behind.
    [-300_000, 'fresh'],
    [-300_001, 'refused'],
  ];
  for (const [afterMs, outcome] of rows) {
    const opened = sealerAt(startMs + afterMs).open('session', alice, sealed);
    const seen = opened === null ? 'refused' : opened.needsReseal ? 'old' : 'fresh';
    assert.equal(seen, outcome, String(afterMs));
  }
});

test('a client that takes each new id keeps its session for as long as it uses it', () => {
  let sealed = seal(sealerAt(startMs));
  for (let hour = 1; hour < 24 * 30; hour += 1) {
    const sealer = sealerAt(startMs + hour * hourMs);
    const opened = sealer.open('session', alice, sealed);
    assert.ok(opened !== null, `hour ${hour}`);
    if (opened.needsReseal) sealed = seal(sealer, opened.upstreamId);
  }
});

test('ids of the upstream are bounded', () => {
  const sealer = sealerAt(startMs);
  const longest = 'x'.repeat(maxUpstreamIdBytes);
  const sealed = seal(sealer, longest);
  assert.equal(sealed.length, 5514);
  assert.equal(sealer.open('session', alice, sealed)?.upstreamId, longest);
  for (const id of [
    '',
    `${longest}x`,
    'é'.repeat(maxUpstreamIdBytes / 2 + 1),
    '\ud800',
    'a\udc00b',
  ]) {
    assert.equal(sealer.seal('session', alice, id), null);
  }
});

test('a sealer needs keys of the right size', () => {
  assert.throws(() => sealerAt(startMs, randomBytes(31)), /32 octets/);
  assert.throws(
    () => createSealer({ keys: [], clock: () => 0, lifetimeMs: 1 }),
    /at least one key/,
  );
});

test('a principal is one owner for as long as it is the same', () => {
  const rows: [left: Principal | null, right: Principal | null, same: boolean][] = [
    [principal(), principal({ claims: { iss: 'solo.io', sub: 'alice', exp: 2 } }), true],
    [principal(), principal({ subject: 'bob' }), false],
    [principal(), principal({ issuer: 'other' }), false],
    [principal(), principal({ provider: 'renamed' }), true],
    // Without an issuer a subject is one of its provider.
    [principal({ issuer: null }), principal({ issuer: null, provider: 'other' }), false],
    [principal({ issuer: null }), principal({ issuer: null }), true],
    [principal({ issuer: null, provider: 'solo.io' }), principal(), false],
    // Without a subject nothing but the token itself tells callers apart.
    [principal({ subject: null }), principal({ subject: null }), true],
    [
      principal({ subject: null, claims: { iss: 'solo.io', client_id: 'a' } }),
      principal({ subject: null, claims: { iss: 'solo.io', client_id: 'b' } }),
      false,
    ],
    [principal({ subject: '' }), principal({ subject: null }), true],
    [null, null, true],
    [null, principal({ subject: null, issuer: null, claims: {} }), false],
    [null, principal({ subject: 'anonymous' }), false],
  ];
  const sealer = sealerAt(startMs);
  for (const [index, [left, right, same]] of rows.entries()) {
    const sealed = seal(sealer, 'id', { owner: ownerOf(left), backend: 'a/b' });
    const opened = sealer.open('session', { owner: ownerOf(right), backend: 'a/b' }, sealed);
    assert.equal(opened !== null, same, `row ${index}`);
  }
});

test('the log gets a short name of a session, the same each time', () => {
  assert.match(hashSessionId('upstream-1'), /^[0-9a-f]{16}$/);
  assert.equal(hashSessionId('upstream-1'), hashSessionId('upstream-1'));
  assert.notEqual(hashSessionId('upstream-1'), hashSessionId('upstream-2'));
});

describe('an id that lasts', () => {
  const lasting = (sealer: Sealer, id = 'upstream-1', binding = alice): string => {
    const sealed = sealer.sealLasting('task', binding, id);
    assert.ok(sealed !== null);
    return sealed;
  };

  test('is the same each time, on every replica with the key, at any time', () => {
    const sealed = lasting(sealerAt(startMs));
    assert.equal(lasting(sealerAt(startMs)), sealed);
    assert.equal(lasting(sealerAt(startMs + 1000 * hourMs)), sealed);
    assert.equal(
      sealerAt(startMs + 1000 * hourMs).openLasting('task', alice, sealed),
      'upstream-1',
    );
  });

  test('is another for every id, kind, owner, backend and session, and opens there alone', () => {
    const sealer = sealerAt(startMs);
    const bindings: SealBinding[] = [
      alice,
      { ...alice, owner: { kind: 'subject', issuer: 'solo.io', subject: 'bob' } },
      { ...alice, owner: { kind: 'anonymous' } },
      { ...alice, backend: 'default/other' },
      { ...alice, session: 's1' },
      { ...alice, session: 's2' },
      { ...alice, session: '' },
    ];
    const seen = new Map<string, string>();
    for (const kind of sealKinds) {
      for (const [index, binding] of bindings.entries()) {
        for (const id of ['a', 'b']) {
          const sealed = sealer.sealLasting(kind, binding, id);
          assert.ok(sealed !== null);
          // Neither the whole nor the nonce is ever used twice.
          const nonce = Buffer.from(sealed, 'base64url').toString('hex', 5, 17);
          for (const part of [sealed, nonce]) {
            assert.equal(seen.get(part), undefined);
            seen.set(part, `${kind} ${index} ${id}`);
          }
          for (const otherKind of sealKinds) {
            for (const other of bindings) {
              const isOwn = other === binding && otherKind === kind;
              assert.equal(sealer.openLasting(otherKind, other, sealed), isOwn ? id : null);
            }
          }
        }
      }
    }
  });

  test('comes back as it was, whatever it is, and shows nothing of it', () => {
    const sealer = sealerAt(startMs);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }), (id) => {
        const sealed = lasting(sealer, id);
        assert.match(sealed, /^[A-Za-z0-9_-]+$/);
        assert.equal(sealer.openLasting('task', alice, sealed), id);
        assert.equal(looksLasting(sealed), true);
      }),
    );
    assert.ok(!Buffer.from(lasting(sealer, 'visible-id'), 'base64url').includes('visible'));
  });

  test('is no expiring id, and an expiring one does not last', () => {
    const sealer = sealerAt(startMs);
    const expiring = sealer.seal('task', alice, 'upstream-1');
    assert.ok(expiring !== null);
    assert.equal(sealer.openLasting('task', alice, expiring), null);
    assert.equal(sealer.open('task', alice, lasting(sealer)), null);
    assert.equal(looksLasting(expiring), false);
    for (const [from, to] of [
      [expiring, 2],
      [lasting(sealer), 1],
    ] as const) {
      const octets = Buffer.from(from, 'base64url');
      octets[0] = to;
      assert.equal(sealer.openLasting('task', alice, octets.toString('base64url')), null);
      assert.equal(sealer.open('task', alice, octets.toString('base64url')), null);
    }
  });

  test('is refused with any character changed, and made up', () => {
    const sealer = sealerAt(startMs);
    const sealed = lasting(sealer);
    for (let index = 0; index < sealed.length; index += 1) {
      for (const character of ['A', 'B', '_', '=', '+', ' ']) {
        if (sealed[index] === character) continue;
        const changed = sealed.slice(0, index) + character + sealed.slice(index + 1);
        assert.equal(sealer.openLasting('task', alice, changed), null, `${index} ${character}`);
      }
    }
    for (const text of ['', 'x', `${sealed}A`, `${sealed}=`, sealed.slice(0, -1), 'upstream-1']) {
      assert.equal(sealer.openLasting('task', alice, text), null);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        const text = Buffer.from([2, ...octets]).toString('base64url');
        assert.equal(sealer.openLasting('task', alice, text), null);
      }),
    );
  });

  test('is good for as long as its key is there', () => {
    const [older, newer] = keys;
    const before = lasting(sealerAt(startMs, older));
    const both = sealerAt(startMs, newer, older);
    assert.equal(both.openLasting('task', alice, before), 'upstream-1');
    assert.notEqual(lasting(both), before);
    assert.equal(sealerAt(startMs, newer).openLasting('task', alice, before), null);
    assert.equal(sealerAt(startMs, newer).openLasting('task', alice, lasting(both)), 'upstream-1');
  });

  test('is bounded as others are', () => {
    const sealer = sealerAt(startMs);
    const longest = 'x'.repeat(maxUpstreamIdBytes);
    assert.equal(sealer.openLasting('task', alice, lasting(sealer, longest)), longest);
    for (const id of ['', `${longest}x`, '\ud800']) {
      assert.equal(sealer.sealLasting('task', alice, id), null);
    }
  });
});
