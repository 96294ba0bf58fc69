import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { HeadLimits } from '../../src/accept/check-head.ts';
import { createKnownHeads, type KnownHeads, type RawHead } from '../../src/accept/known-heads.ts';
import { readHead, type ReadHead } from '../../src/accept/read-head.ts';
import { Refusal } from '../../src/errors.ts';
import { HeadFindings } from '../../src/head-findings.ts';

const limits: HeadLimits = {
  maxHeaderFields: 12,
  maxHeaderBytes: 20_000,
  maxBodyBytes: 1000,
  maxTargetBytes: 100,
};
const lawful: RawHead = {
  method: 'POST',
  target: '/mcp',
  query: 'a=1',
  headers: ['host', 'gate.test', 'authorization', 'Bearer abc.def.ghi', 'content-length', '110'],
};

/** A new text each time, as the native server's are. */
const anew = (text: string): string => Buffer.from(text).toString();
const copyOf = ({ method, target, query, headers }: RawHead): RawHead => ({
  method: anew(method),
  target: anew(target),
  query: query === null ? null : anew(query),
  headers: headers.map(anew),
});

/** What was read, without what may be remembered of it. */
const forgetful = (read: ReadHead): ReadHead => ({ ...read, findings: null });

/** Those that come twice are remembered. */
function remember(head: RawHead, known: KnownHeads) {
  assert.equal(readHead(copyOf(head), limits, known).findings, null);
  return readHead(copyOf(head), limits, known);
}

describe('a head that came before', () => {
  const withLength = (value: string): RawHead => ({
    ...lawful,
    headers: [...lawful.headers.slice(0, -1), value],
  });

  test('brings what was found out about it, also under another Content-Length', () => {
    const known = createKnownHeads(limits.maxHeaderBytes);
    const first = remember(lawful, known);
    assert.ok(first.findings instanceof HeadFindings);
    assert.equal(first.hasBody, true);
    for (const [length, hasBody] of [
      ['110', true],
      ['0', false],
      ['1000', true],
    ] as const) {
      const again = readHead(copyOf(withLength(length)), limits, known);
      assert.equal(again.findings, first.findings);
      assert.equal(again.hasBody, hasBody);
    }
  });

  for (const [length, code] of [
    ['1001', 'BODY_TOO_LARGE'],
    ['', 'REQUEST_INVALID'],
    ['-1', 'REQUEST_INVALID'],
    ['1e2', 'REQUEST_INVALID'],
    ['9999999999999999', 'REQUEST_INVALID'],
  ] as const) {
    test(`is refused for a Content-Length of "${length}" all the same`, () => {
      const known = createKnownHeads(limits.maxHeaderBytes);
      remember(lawful, known);
      const { refusal, findings } = readHead(copyOf(withLength(length)), limits, known);
      assert.equal(refusal?.kind.code, code);
      assert.equal(findings, null);
    });
  }

  const other: readonly [string, RawHead][] = [
    ['method', { ...lawful, method: 'PUT' }],
    ['target', { ...lawful, target: '/mcq' }],
    ['query', { ...lawful, query: 'a=2' }],
    ['query that is not there', { ...lawful, query: null }],
    ['field name', { ...lawful, headers: ['hosT', ...lawful.headers.slice(1)] }],
    ...Array.from({ length: 18 }, (_, at): [string, RawHead] => {
      const token = 'Bearer abc.def.ghi';
      const changed = `${token.slice(0, at)}X${token.slice(at + 1)}`;
      const headers = lawful.headers.map((text) => (text === token ? changed : text));
      return [`token at ${at}`, { ...lawful, headers }];
    }),
    ['order of fields', { ...lawful, headers: [...lawful.headers.slice(2), 'host', 'gate.test'] }],
    ['number of fields', { ...lawful, headers: [...lawful.headers, 'x-a', ''] }],
  ];
  for (const [what, head] of other) {
    test(`is not taken for one with another ${what}`, () => {
      const known = createKnownHeads(limits.maxHeaderBytes);
      const { findings } = remember(lawful, known);
      assert.ok(findings !== null);
      readHead(copyOf(head), limits, known);
      assert.notEqual(readHead(copyOf(head), limits, known).findings, findings);
    });
  }

  test('is not remembered where it was refused, or is large', () => {
    const known = createKnownHeads(limits.maxHeaderBytes);
    const twice = { ...lawful, headers: [...lawful.headers, 'host', 'gate.test'] };
    const large = { ...lawful, headers: [...lawful.headers, 'x-a', 'x'.repeat(9000)] };
    for (const head of [twice, large]) {
      const { method, target, query, headers } = head;
      readHead(copyOf(head), limits, known);
      readHead(copyOf(head), limits, known);
      assert.equal(known.find(method, target, query, headers), null);
    }
  });

  test('is not remembered where more digits of a length could bring it over the limit', () => {
    const bytes = lawful.headers.join('').length + 3 * 4;
    const tight = { ...limits, maxHeaderBytes: bytes };
    const known = createKnownHeads(tight.maxHeaderBytes);
    for (let count = 0; count < 3; count += 1) {
      assert.equal(readHead(copyOf(lawful), tight, known).refusal, null);
    }
    const longer = readHead(copyOf(withLength('0110')), tight, known);
    assert.equal(longer.refusal?.kind.code, 'HEADERS_TOO_LARGE');
  });

  test('takes no more memory however many there are', () => {
    const known = createKnownHeads(limits.maxHeaderBytes);
    const headOf = (index: number): RawHead => ({ ...lawful, target: `/mcp${index}` });
    for (let index = 0; index < 5000; index += 1) {
      readHead(headOf(index), limits, known);
      readHead(headOf(index), limits, known);
    }
    let remembered = 0;
    for (let index = 0; index < 5000; index += 1) {
      const { method, target, query, headers } = headOf(index);
      if (known.find(method, target, query, headers) !== null) remembered += 1;
    }
    assert.ok(remembered > 0 && remembered <= 512, String(remembered));
  });
});

test('whatever came before, a head is read as if nothing had', () => {
  const name = fc.constantFrom('host', 'authorization', 'content-length', 'x-a', 'accept', 'X', '');
  const value = fc.constantFrom('', '0', '5', '05', '1001', 'a', 'gate.test', 'chunked', '\0', 'é');
  const field = fc.oneof(
    fc.constant(['transfer-encoding', 'chunked'] as const),
    fc.tuple(name, value),
  );
  const head: fc.Arbitrary<RawHead> = fc.record({
    method: fc.constantFrom('POST', 'GET', 'HEAD', 'TRACE', 'post'),
    target: fc.constantFrom('/', '/mcp', '/MCP', '/a/../b', '/%6d', '//', 'x'),
    query: fc.constantFrom(null, '', 'a=1', '#'),
    headers: fc
      .array(field, { maxLength: 5 })
      .map((fields) => ['host', 'gate.test', ...fields.flat()]),
  });
  fc.assert(
    fc.property(fc.array(head, { minLength: 2, maxLength: 12 }), (heads) => {
      const known = createKnownHeads(limits.maxHeaderBytes);
      for (const one of [...heads, ...heads, ...heads]) {
        const { refusal, ...read } = forgetful(readHead(copyOf(one), limits, known));
        const fresh = createKnownHeads(limits.maxHeaderBytes);
        const { refusal: expected, ...unaided } = forgetful(readHead(copyOf(one), limits, fresh));
        assert.deepEqual(read, unaided);
        assert.deepEqual(
          refusal instanceof Refusal ? [refusal.kind.code, refusal.detail] : null,
          expected instanceof Refusal ? [expected.kind.code, expected.detail] : null,
        );
      }
    }),
    { numRuns: 2000 },
  );
});
