/**
 * Request smuggling and parser attacks over raw sockets. Each row says what must happen, and what really went up
 * is checked octet by octet.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createIssuer } from '../harness/token-issuer.ts';
import { freePort } from '../harness/free-port.ts';
import { sendRaw } from '../harness/http-client.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../harness/recording-upstream.ts';
import { gateway, GATEWAY_GROUP, route, staticBackend, yaml } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { fieldRows } from './hostile/field-rows.ts';
import { framingRows } from './hostile/framing-rows.ts';
import { pathRows } from './hostile/path-rows.ts';
import type { HostileRow } from './hostile/row.ts';

/** Long enough for an answer, short enough for those that wait for none. */
const PATIENCE_MS = 150;

describe('a hostile request', () => {
  let upstream: RecordingUpstream;
  let gate: Postern;
  let port: number;

  before(async () => {
    upstream = await startRecordingUpstream(fileScope);
    port = await freePort();
    const { jwk, issuer } = await createIssuer();
    const backend = { port: upstream.port, name: 'plain' };
    const needsToken = {
      apiVersion: 'gloo.solo.io/v1alpha1',
      kind: 'GlooTrafficPolicy',
      metadata: { name: 'token' },
      spec: {
        targetRefs: [{ group: GATEWAY_GROUP, kind: 'HTTPRoute', name: 'closed' }],
        glooJWT: {
          beforeExtAuth: {
            providers: {
              test: { issuer, jwks: { local: { key: JSON.stringify({ keys: [jwk] }) } } },
            },
          },
        },
      },
    };
    gate = await startPostern(fileScope, {
      resources: yaml(
        gateway({ port }),
        staticBackend(backend),
        route({ name: 'open', prefix: '/open', backend: 'plain' }),
        route({ name: 'closed', prefix: '/closed', backend: 'plain' }),
        needsToken,
      ),
    });
  });

  for (const row of [...framingRows, ...pathRows, ...fieldRows]) {
    test(`${row.name}: ${describeOutcome(row)}`, async () => {
      upstream.clear();
      const answer = await sendRaw(port, Buffer.from(row.octets, 'latin1'), PATIENCE_MS);
      assert.deepEqual(upstream.faults, []);
      assert.equal(upstream.residue(), '', 'octets went up that belong to no request');
      checkOutcome(row, answer, upstream);
    });
  }

  test('the rows are many, and the gate serves on after all of them', async () => {
    assert.ok(framingRows.length + pathRows.length + fieldRows.length >= 150);
    upstream.clear();
    const answer = await sendRaw(port, 'GET /open/x HTTP/1.1\r\nhost: gate.test\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.equal(upstream.requests.length, 1);
    assert.doesNotMatch(gate.processLog(), /exception|uncaught|died/);
  });

  test('no row wrote a line of its own into the access log', () => {
    for (const line of gate.accessLog().trimEnd().split('\n')) {
      assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z\tinfo\trequest /);
    }
  });
});

function describeOutcome({ outcome }: HostileRow): string {
  switch (outcome.kind) {
    case 'refused':
      return `is answered with ${outcome.statuses.join(' or ')}, and goes no further`;
    case 'dropped':
      return 'goes no further';
    case 'at-most-once':
      return 'goes up as one request, or not at all';
    case 'forwarded':
      return 'goes up as one request';
  }
}

function checkOutcome(row: HostileRow, answer: string, { requests }: RecordingUpstream): void {
  const { outcome, neverUp } = row;
  const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)]
    .map(([, code]) => Number(code))
    .filter((code) => code >= 200);
  if (outcome.kind === 'forwarded' || (outcome.kind === 'at-most-once' && requests.length > 0)) {
    assert.equal(requests.length, 1, `${requests.length} requests went up`);
    const request = requests[0]!;
    assert.equal(request.line, outcome.line);
    assert.equal(request.body, outcome.body);
    if (neverUp !== undefined) {
      for (const line of request.lines) assert.doesNotMatch(line, neverUp);
    }
    if (outcome.kind === 'forwarded') assert.deepEqual(statuses, [200]);
    return;
  }
  assert.deepEqual(requests, [], 'something went up');
  if (outcome.kind === 'refused') {
    assert.ok(outcome.statuses.includes(statuses[0] ?? 0), `answered ${answer.slice(0, 300)}`);
  }
  for (const status of statuses) assert.ok(status >= 400, `answered ${status}`);
}
