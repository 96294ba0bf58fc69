import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal } from '../../src/errors.ts';
import type { Authenticator } from '../../src/authenticate/authenticator.ts';
import { PrincipalFindings } from '../../src/principal-findings.ts';
import type { RuleRuntime } from '../../src/runtime.ts';
import type { Exchange } from '../../src/exchange.ts';
import type { Principal } from '../../src/authenticate/principal.ts';
import { refusedFrom } from '../../src/limit/overload.ts';
import { createAdmission, type AdmissionLimits } from '../../src/limit/admission.ts';
import { addressKey, principalKey } from '../../src/limit/caller-key.ts';
import { PASS, type Verdict } from '../../src/verdict.ts';
import { exchangeOf, headOf } from '../route/plans.ts';

const none: AdmissionLimits = {
  maxRequests: 0,
  maxRequestsPerAddress: 0,
  maxRequestsPerPrincipal: 0,
  maxStreamsPerPrincipal: 0,
  addressRate: 0,
  addressBurst: 0,
};

function principal(options: Partial<Principal> = {}): Principal {
  return {
    provider: 'p',
    issuer: 'https://i.test',
    subject: 'alice',
    claims: {},
    expiresAtMs: 0,
    keepToken: false,
    headersToSet: [],
    headersToAppend: [],
    findings: new PrincipalFindings(),
    ...options,
  };
}

function gate(limits: Partial<AdmissionLimits>) {
  const state = { nowMs: 0, level: 0 };
  const admission = createAdmission(
    { ...none, ...limits },
    {
      refuse: (kind) => (state.level >= refusedFrom[kind] ? new Refusal('OVERLOADED') : null),
    },
    () => state.nowMs,
  );
  return { admission, state };
}

function request(address = '192.0.2.1', who: Principal | null = null): Exchange {
  const head = headOf({ remoteAddress: address, headers: { accept: 'text/event-stream' } });
  const { exchange } = exchangeOf(head);
  exchange.principal = who;
  return exchange;
}

/** A rule of a route that so many policies look for a token on. */
function ruleWith(authenticators: number): RuleRuntime {
  const rule: Partial<RuleRuntime> = { authenticators: Array<Authenticator>(authenticators) };
  return rule as RuleRuntime;
}

const codeOf = (verdict: Verdict) =>
  verdict instanceof Refusal ? verdict.kind.code : verdict === PASS ? 'PASS' : 'ANSWERED';

describe('requests in flight', () => {
  const rows = [
    ['in total', { maxRequests: 2 }, 'REQUESTS_EXCEEDED'],
    ['of an address', { maxRequestsPerAddress: 2 }, 'ADDRESS_REQUESTS_EXCEEDED'],
  ] as const;
  for (const [what, limits, code] of rows) {
    test(`${what} are counted, and give their place back`, () => {
      const { admission } = gate(limits);
      const [one, two, three] = [request(), request(), request()];
      assert.equal(codeOf(admission.admit(one)), 'PASS');
      assert.equal(codeOf(admission.admit(two)), 'PASS');
      assert.equal(codeOf(admission.admit(three)), code);
      admission.leave(three);
      assert.equal(admission.state().requests, 2, 'a refused one takes and gives nothing');
      admission.leave(one);
      admission.leave(one);
      assert.equal(codeOf(admission.admit(request())), 'PASS');
      assert.equal(codeOf(admission.admit(request())), code);
    });
  }

  test('another address has room of its own; one IPv6 site has not', () => {
    const { admission } = gate({ maxRequestsPerAddress: 1 });
    assert.equal(codeOf(admission.admit(request('2001:db8::1'))), 'PASS');
    assert.equal(codeOf(admission.admit(request('2001:db8::2'))), 'ADDRESS_REQUESTS_EXCEEDED');
    assert.equal(codeOf(admission.admit(request('2001:db8:0:1::1'))), 'PASS');
  });

  test('of a principal are counted over all its tokens', () => {
    const { admission } = gate({ maxRequestsPerPrincipal: 1 });
    const first = request('192.0.2.1', principal());
    admission.admit(first);
    assert.equal(codeOf(admission.admitPrincipal(first)), 'PASS');
    const again = request('192.0.2.2', principal());
    admission.admit(again);
    assert.equal(codeOf(admission.admitPrincipal(again)), 'PRINCIPAL_REQUESTS_EXCEEDED');
    const bob = request('192.0.2.1', principal({ subject: 'bob' }));
    admission.admit(bob);
    assert.equal(codeOf(admission.admitPrincipal(bob)), 'PASS');
    for (const exchange of [first, again, bob]) admission.leave(exchange);
    assert.deepEqual(admission.state(), {
      requests: 0,
      addresses: 0,
      principals: 0,
      streamPrincipals: 0,
      addressBuckets: 0,
    });
  });
});

test('streams of a principal are counted while they are open', () => {
  const { admission } = gate({ maxStreamsPerPrincipal: 1 });
  const open = () => {
    const exchange = request('192.0.2.1', principal());
    admission.admit(exchange);
    return exchange;
  };
  const first = open();
  assert.equal(codeOf(admission.admitStream(first)), 'PASS');
  const second = open();
  assert.equal(codeOf(admission.admitStream(second)), 'PRINCIPAL_STREAMS_EXCEEDED');
  admission.leave(second);
  admission.leave(first);
  assert.equal(codeOf(admission.admitStream(open())), 'PASS');
});

test('the rate of an address has a burst and comes back', () => {
  const { admission, state } = gate({ addressRate: 10, addressBurst: 3 });
  const ask = (): Verdict => admission.admit(request());
  assert.deepEqual([codeOf(ask()), codeOf(ask()), codeOf(ask())], ['PASS', 'PASS', 'PASS']);
  const refusal = ask();
  assert.ok(refusal instanceof Refusal);
  assert.equal(refusal.status, 429);
  assert.deepEqual(refusal.headers.slice(-2), ['retry-after', '1']);
  state.nowMs = 100;
  assert.deepEqual([codeOf(ask()), codeOf(ask())], ['PASS', 'ADDRESS_RATE_EXCEEDED']);
});

test('overloaded, whoever has no principal is refused first, in the end everybody', () => {
  const { admission, state } = gate({});
  state.level = 1;
  const [anonymous, open, alice] = [request(), request(), request('192.0.2.1', principal())];
  anonymous.rule = ruleWith(1);
  open.rule = ruleWith(0);
  assert.equal(codeOf(admission.admit(anonymous)), 'PASS');
  assert.equal(codeOf(admission.admitPrincipal(anonymous)), 'OVERLOADED');
  assert.equal(codeOf(admission.admitPrincipal(open)), 'PASS', 'where no route looks for a token');
  assert.equal(codeOf(admission.admitPrincipal(alice)), 'PASS');
  state.level = 2;
  assert.equal(codeOf(admission.admitPrincipal(open)), 'OVERLOADED', 'nobody vouches for him');
  assert.equal(codeOf(admission.admitPrincipal(alice)), 'PASS');
  state.level = 3;
  assert.equal(codeOf(admission.admit(alice)), 'OVERLOADED');
});

test('keys of callers', () => {
  const rows = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ] as const;
  for (const [address, key] of rows) assert.equal(addressKey(address), key);
  const keys = [
    principal(),
    principal({ issuer: null }),
    principal({ subject: null }),
    principal({ issuer: null, provider: 'q' }),
    principal({ issuer: 'p', subject: 'x' }),
    principal({ issuer: null, provider: 'p', subject: 'x' }),
  ].map(principalKey);
  assert.equal(new Set(keys).size, keys.length);
});
