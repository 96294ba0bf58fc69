import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, test } from 'node:test';
import { FakeNativeResponse } from '../accept/fake-native-response.ts';
import { NativeResponder } from '../../src/accept/native-responder.ts';
import { Refusal } from '../../src/errors.ts';
import { Exchange } from '../../src/exchange.ts';
import { HeadFindings } from '../../src/head-findings.ts';
import type { SealBinding, SealOwner } from '../../src/mcp/seal-binding.ts';
import { createSealer, type Sealer } from '../../src/mcp/seal.ts';
import { openSession, sealSession, type SessionBackend } from '../../src/mcp/session.ts';

const LIFETIME_MS = 1000;
const HEADER = 'mcp-session-id';
const alice: SealOwner = { kind: 'subject', issuer: 'https://issuer.test', subject: 'alice' };
const bob: SealOwner = { kind: 'subject', issuer: 'https://issuer.test', subject: 'bob' };

describe('the session of a head that comes again', () => {
  let nowMs: number;
  let opened: number;
  let mcp: SessionBackend;
  let sealed: string;
  let findings: HeadFindings;

  beforeEach(() => {
    nowMs = 1_000_000;
    opened = 0;
    const sealer = createSealer({
      keys: [randomBytes(32)],
      clock: () => nowMs,
      lifetimeMs: LIFETIME_MS,
    });
    const counting: Sealer = {
      ...sealer,
      open(kind, binding, text) {
        opened += 1;
        return sealer.open(kind, binding, text);
      },
    };
    mcp = { name: 'default/b', sealer: counting };
    sealed = sealer.seal('session', { owner: alice, backend: mcp.name }, 'own') ?? assert.fail();
    findings = new HeadFindings();
  });

  function exchangeOf(owner: SealOwner = alice): Exchange {
    const head = {
      ...{ method: 'POST', path: '/mcp', query: null, host: 'h', authority: 'h' },
      ...{ remoteAddress: '192.0.2.1', remotePort: null, headers: [HEADER, sealed] },
      scheme: 'http' as const,
    };
    const responder = new NativeResponder(
      new FakeNativeResponse(),
      () => undefined,
      () => false,
      false,
    );
    const exchange = new Exchange(head, responder, null, { find: () => null }, null, 0, 0);
    exchange.owner = owner;
    exchange.findings = findings;
    return exchange;
  }

  const ofAlice = (): SealBinding => ({ owner: alice, backend: mcp.name });
  const open = (owner = alice, backend = mcp) => openSession(exchangeOf(owner), backend);

  test('is opened once', () => {
    const first = open();
    assert.ok(first !== null && !(first instanceof Refusal));
    assert.equal(first.upstreamId, 'own');
    assert.equal(open(), first);
    assert.equal(opened, 1);
  });

  test('is no session of another owner, nor of another backend', () => {
    open();
    assert.ok(open(bob) instanceof Refusal);
    assert.ok(open(alice, { ...mcp, name: 'default/other' }) instanceof Refusal);
    assert.ok(!(open() instanceof Refusal));
  });

  test('is opened again when it grows old, and is unknown when it has expired', () => {
    open();
    nowMs += LIFETIME_MS / 2;
    const old = open();
    assert.ok(old !== null && !(old instanceof Refusal));
    assert.equal(old.needsReseal, true);
    nowMs += LIFETIME_MS / 2;
    assert.ok(open() instanceof Refusal);
  });

  test('is unknown again where the clock was set back to long before it was sealed', () => {
    open();
    nowMs -= 600_000;
    assert.ok(open() instanceof Refusal);
  });

  function answered(named: string | null): string | undefined {
    const exchange = exchangeOf();
    const session = openSession(exchange, mcp);
    assert.ok(!(session instanceof Refusal));
    exchange.session = session;
    const headers = ['x-a', '1', ...(named === null ? [] : [HEADER, named])];
    sealSession(exchange, mcp, headers);
    return headers[headers.indexOf(HEADER) + 1] === '1' ? undefined : headers.at(-1);
  }

  test('goes back as it came where the upstream names it', () => {
    assert.equal(answered('own'), sealed);
  });

  test('is sealed anew when it grows old, named or not', () => {
    nowMs += LIFETIME_MS / 2;
    for (const named of ['own', null]) {
      const renewed = answered(named) ?? assert.fail();
      assert.notEqual(renewed, sealed);
      assert.equal(mcp.sealer.open('session', ofAlice(), renewed)?.upstreamId, 'own');
    }
  });

  test('is not what goes back for another one that the upstream names', () => {
    const other = answered('another') ?? assert.fail();
    assert.equal(mcp.sealer.open('session', ofAlice(), other)?.upstreamId, 'another');
  });
});
