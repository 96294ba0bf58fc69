import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { PrincipalFindings } from '../../src/principal-findings.ts';
import { FakeNativeResponse } from '../accept/fake-native-response.ts';
import { NativeResponder } from '../../src/accept/native-responder.ts';
import type { RequestHead } from '../../src/accept/request-head.ts';
import type { Principal } from '../../src/authenticate/principal.ts';
import { Exchange } from '../../src/exchange.ts';
import { createBackendChooser, type ChosenBackend } from '../../src/forward/backend-chooser.ts';
import { requestFor } from '../../src/forward/forward.ts';
import { requestHead } from '../../src/forward/http1/write-request.ts';
import type { Upstream } from '../../src/forward/upstream.ts';
import { HeadFindings } from '../../src/head-findings.ts';
import { createAnswerFilter } from '../../src/mcp/answer-filter.ts';
import type { FilterPlan } from '../../src/plan.ts';
import { compileFilters } from '../../src/route/filters.ts';
import type { RuleRuntime } from '../../src/runtime.ts';

const upstreamOf = (authority: string, path: string | null): Upstream => ({
  backendName: 'default/b',
  targetName: 't',
  path,
  authority,
  request: () => ({ abort: () => undefined, resume: () => undefined }),
  close: () => undefined,
});
const addsField = (value: string): FilterPlan => ({
  type: 'RequestHeaderModifier',
  set: [{ name: 'x-rule', value }],
  add: [],
  remove: [],
});
const backendOf = (
  type: 'MCP' | 'Static',
  upstream: Upstream,
  filters: readonly FilterPlan[] = [],
): ChosenBackend => ({
  type,
  upstream,
  mcp: null,
  rateLimits: null,
  filters: compileFilters(filters),
});
const ruleOf = (filters: readonly FilterPlan[], reserved: readonly string[] = []): RuleRuntime => ({
  route: 'default/r',
  name: null,
  cors: null,
  authenticators: [],
  reservedHeaders: new Set(reserved),
  authorizer: null,
  protectedResource: null,
  pageGuard: null,
  rateLimits: null,
  filters: compileFilters(filters),
  requestTimeoutMs: null,
  backendRequestTimeoutMs: null,
  backends: createBackendChooser([]),
});
const principalOf = (subject: string): Principal => ({
  provider: 'p',
  issuer: 'https://issuer.test',
  subject,
  claims: {},
  expiresAtMs: Infinity,
  keepToken: false,
  headersToSet: ['x-user', subject],
  headersToAppend: [],
  findings: new PrincipalFindings(),
});
const filter = createAnswerFilter({
  request: null,
  isVisible: null,
  ids: null,
  holds: 'none',
  maxBytes: 10,
});

const rules = [ruleOf([]), ruleOf([addsField('one')]), ruleOf([], ['x-user'])];
const shared = upstreamOf('a.test', '/mcp');
const backends = [
  backendOf('MCP', shared),
  backendOf('MCP', shared, [addsField('three')]),
  backendOf('MCP', upstreamOf('b.test', '/mcp')),
  backendOf('Static', upstreamOf('a.test', null), [addsField('two')]),
];
const principals = [null, principalOf('alice'), principalOf('bob')];
const locations = [
  { in: 'header', name: 'x-token' },
  { in: 'query', name: 'token' },
] as const;
const headers = [
  ...['host', 'gate.test', 'authorization', 'Bearer t', 'x-token', 't', 'x-user', 'mallory'],
  ...[
    'accept-encoding',
    'gzip',
    'mcp-session-id',
    'sealed',
    'mcp-name',
    'n',
    'content-length',
    '5',
  ],
];

const variant = fc.record({
  rule: fc.constantFrom(...rules),
  backend: fc.constantFrom(...backends),
  standsForSeveral: fc.boolean(),
  principal: fc.constantFrom(...principals),
  tokensToRemove: fc.subarray([...locations]),
  keptTokenHeader: fc.constantFrom('', 'authorization'),
  sessionId: fc.constantFrom(null, 'one', 'two'),
  remoteAddress: fc.constantFrom('192.0.2.1', '192.0.2.2'),
  isFiltered: fc.boolean(),
  editedName: fc.constantFrom(null, 'other'),
});
const remembered = variant.filter(
  ({ editedName, standsForSeveral }) => editedName === null && !standsForSeveral,
);
type Variant = typeof variant extends fc.Arbitrary<infer Value> ? Value : never;

function exchangeOf(
  { rule, backend, principal, tokensToRemove, keptTokenHeader, ...rest }: Variant,
  findings: HeadFindings | null,
): Exchange {
  const head: RequestHead = {
    method: 'POST',
    path: '/mcp',
    query: 'token=t&a=1',
    headers: [...headers],
    host: 'gate.test',
    authority: 'gate.test',
    scheme: 'http',
    remoteAddress: rest.remoteAddress,
    remotePort: null,
  };
  const responder = new NativeResponder(
    new FakeNativeResponse(),
    () => undefined,
    () => false,
    false,
  );
  const exchange = new Exchange(head, responder, null, { find: () => null }, null, 0, 0);
  exchange.findings = findings;
  exchange.rule = rule;
  exchange.backend = backend;
  exchange.upstream = rest.standsForSeveral
    ? { ...backend.upstream, authority: 'c.test' }
    : backend.upstream;
  exchange.principal = principal;
  exchange.tokensToRemove = tokensToRemove;
  exchange.keptTokenHeader = keptTokenHeader;
  const { sessionId: upstreamId } = rest;
  if (upstreamId !== null) {
    exchange.session = { sealed: 'sealed', upstreamId, hash: '', needsReseal: false };
  }
  if (rest.isFiltered) exchange.answerFilter = filter;
  if (rest.editedName !== null) {
    exchange.headerEdits = [{ name: 'mcp-name', value: rest.editedName }];
  }
  return exchange;
}

describe('what goes upstream before the body', () => {
  test('is made once for requests that have all in common', () => {
    const findings = new HeadFindings();
    const [one = assert.fail()] = fc.sample(remembered, 1);
    const first = requestFor(exchangeOf(one, findings));
    const second = requestFor(exchangeOf(one, findings));
    assert.equal(second?.headers, first?.headers);
    assert.ok(Object.isFrozen(second?.headers));
  });

  test('is what it would be if no such head had come before, whatever else is different', () => {
    fc.assert(
      fc.property(fc.array(variant, { minLength: 2, maxLength: 12 }), (variants) => {
        const findings = new HeadFindings();
        // Neighbours that differ in one part only are the ones that could be taken for each other.
        const [first = assert.fail()] = variants;
        const neighbours = variants.flatMap((other) =>
          Object.keys(first).map((part): Variant => ({
            ...first,
            [part]: other[part as keyof Variant],
          })),
        );
        for (const one of [...variants, ...neighbours]) {
          const aided = requestFor(exchangeOf(one, findings));
          const unaided = requestFor(exchangeOf(one, null));
          assert.ok(aided !== null && unaided !== null);
          assert.deepEqual([aided.path, aided.headers], [unaided.path, unaided.headers]);
          assert.equal(requestHead(aided), requestHead({ ...unaided, written: undefined }));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is not written with the text of other fields, where a request is made of another', () => {
    const [one = assert.fail()] = fc.sample(remembered, 1);
    const request = requestFor(exchangeOf(one, new HeadFindings())) ?? assert.fail();
    const others = [
      { ...request, headers: ['host', 'other.test'] },
      { ...request, path: '/other' },
      { ...request, method: 'DELETE' },
    ];
    for (const other of others) {
      requestHead(request);
      assert.equal(requestHead(other), requestHead({ ...other, written: undefined }));
    }
  });
});
