import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal } from '../../src/errors.ts';
import { answerCors } from '../../src/route/answer-cors.ts';
import { compileCors } from '../../src/route/cors.ts';
import { compileFilters } from '../../src/route/filters.ts';
import { findListener } from '../../src/route/find-listener.ts';
import { findRoute } from '../../src/route/find-route.ts';
import { createListenerTable } from '../../src/route/listener-table.ts';
import { redirect } from '../../src/route/redirect.ts';
import { createRouteTable } from '../../src/route/route-table.ts';
import type { Exchange } from '../../src/exchange.ts';
import { ANSWERED, PASS, type Verdict } from '../../src/verdict.ts';
import {
  answeredOfSix,
  entryOf,
  exchangeOf,
  headOf,
  listenerOf,
  matchOf,
  ruleRuntimeOf,
} from './plans.ts';

/** Both stages, the second only where the first lets pass. */
function find(exchange: Exchange): Verdict {
  const verdict = findListener(exchange);
  return verdict === PASS ? findRoute(exchange) : verdict;
}

describe('findListener and findRoute', () => {
  const table = createListenerTable([
    listenerOf('a.example.com', createRouteTable([entryOf('mcp', [matchOf('/mcp')])])),
    listenerOf('*.example.com', createRouteTable([entryOf('all', [matchOf('/')])])),
  ]);

  test('notes listener, rule and prefix', () => {
    const { exchange } = exchangeOf(headOf({ host: 'a.example.com', path: '/mcp/x' }), table);
    assert.equal(find(exchange), PASS);
    assert.equal(exchange.listener?.hostname, 'a.example.com');
    assert.equal(exchange.rule?.name, 'mcp');
    assert.equal(exchange.matchedPrefixLength, 4);
  });

  const rows: readonly [
    why: string,
    request: Parameters<typeof headOf>[0],
    serverName: string | null,
    code: string,
  ][] = [
    ['a host of no listener', { host: 'example.com' }, null, 'LISTENER_NOT_FOUND'],
    ['a path of no rule', { host: 'a.example.com', path: '/' }, null, 'ROUTE_NOT_FOUND'],
    [
      'a host of another listener than the connection',
      { host: 'a.example.com', path: '/mcp', scheme: 'https' },
      '*.example.com',
      'MISDIRECTED',
    ],
    [
      'a TLS connection without a server name to a listener that has one',
      { host: 'a.example.com', path: '/mcp', scheme: 'https' },
      null,
      'MISDIRECTED',
    ],
  ];
  for (const [why, request, serverName, code] of rows) {
    test(`refuses ${why}`, () => {
      const { exchange, answers } = exchangeOf(headOf(request), table, serverName);
      const verdict = find(exchange);
      assert.ok(verdict instanceof Refusal);
      assert.equal(verdict.kind.code, code);
      assert.equal(exchange.rule, null);
      assert.deepEqual(answers, []);
    });
  }

  test('lets hosts of one wildcard listener share a connection', () => {
    const { exchange } = exchangeOf(
      headOf({ host: 'c.example.com', scheme: 'https' }),
      table,
      '*.example.com',
    );
    assert.equal(find(exchange), PASS);
  });
});

const cors = compileCors({
  allowOrigins: ['https://app.example'],
  allowMethods: ['POST'],
  allowHeaders: ['authorization'],
  exposeHeaders: [],
  allowCredentials: false,
  maxAgeSeconds: 5,
});
const preflight = (origin: string) =>
  headOf({ method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });

describe('answerCors', () => {
  test('answers the preflight of an allowed origin with 204', () => {
    const { exchange, answers } = exchangeOf(preflight('https://app.example'));
    exchange.rule = ruleRuntimeOf('x', { cors });
    assert.equal(answerCors(exchange), ANSWERED);
    assert.equal(exchange.status, 204);
    assert.equal(answers.length, 1);
    assert.equal(answers[0]?.status, 204);
    assert.equal(answers[0].body, '');
    assert.ok(answers[0].headers.includes('https://app.example'));
  });

  test('answers a few in a turn, since anybody may ask', async () => {
    const request = () => {
      const made = exchangeOf(preflight('https://app.example'));
      made.exchange.rule = ruleRuntimeOf('x', { cors });
      return made;
    };
    assert.deepEqual(await answeredOfSix(answerCors, request), [4, 6]);
  });

  test('leaves all else to the next stage', () => {
    for (const [head, rule] of [
      [preflight('https://evil.example'), ruleRuntimeOf('x', { cors })],
      [headOf({ headers: { origin: 'https://app.example' } }), ruleRuntimeOf('x', { cors })],
      [preflight('https://app.example'), ruleRuntimeOf('x')],
      [preflight('https://app.example'), null],
    ] as const) {
      const { exchange, answers } = exchangeOf(head);
      exchange.rule = rule;
      assert.equal(answerCors(exchange), PASS);
      assert.deepEqual(answers, []);
    }
  });
});

describe('redirect', () => {
  const filters = compileFilters([
    {
      type: 'RequestRedirect',
      scheme: 'https',
      hostname: null,
      port: null,
      path: { type: 'ReplacePrefixMatch', value: '/new' },
      statusCode: 301,
    },
    { type: 'ResponseHeaderModifier', set: [{ name: 'x', value: '1' }], add: [], remove: [] },
  ]);

  test('answers with status, Location and the fields of the other filters', () => {
    const head = headOf({ path: '/old/a?b', headers: { origin: 'https://app.example' } });
    const { exchange, answers } = exchangeOf(head);
    exchange.rule = ruleRuntimeOf('x', { filters, cors });
    exchange.matchedPrefixLength = 4;
    assert.equal(redirect(exchange), ANSWERED);
    assert.equal(exchange.status, 301);
    assert.deepEqual(answers, [
      {
        status: 301,
        headers: [
          ...['location', 'https://example.com/new/a?b'],
          ...['access-control-allow-origin', 'https://app.example', 'vary', 'origin', 'x', '1'],
        ],
        body: '',
      },
    ]);
  });

  test('answers a few in a turn, since anybody may ask', async () => {
    const request = () => {
      const made = exchangeOf(headOf({ path: '/old' }));
      made.exchange.rule = ruleRuntimeOf('x', { filters });
      return made;
    };
    assert.deepEqual(await answeredOfSix(redirect, request), [4, 6]);
  });

  test('leaves rules without the filter to the next stage', () => {
    for (const rule of [ruleRuntimeOf('x'), null]) {
      const { exchange, answers } = exchangeOf(headOf());
      exchange.rule = rule;
      assert.equal(redirect(exchange), PASS);
      assert.deepEqual(answers, []);
    }
  });
});
