/**
 * Transparency: the conformance suite of the MCP project finds the same server behind the gate as in front of it,
 * check by check, in both eras. A token is required and rules decide on every tool, prompt and resource; they
 * allow all of them.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startGate, type Gate } from '../harness/gate.ts';
import { glooJwt, glooPolicy, KGATEWAY_GROUP, localJwks, rbac } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import {
  runSuite,
  suiteNode,
  type Revision,
  type SuiteRun,
} from '../peers/conformance/run-suite.ts';
import { startConformanceServer } from '../peers/conformance/server.ts';

/** The fixture leaves this to the gate. */
const REBINDING = 'dns-rebinding-protection/localhost-host-rebinding-rejected';

/** An extension that the SDK of the fixture does not have: run, never scored, and compared all the same. */
const TASKS = 'tasks-';

const node = suiteNode();
const skip = node === null ? 'the suite needs Node 22, and there is none for this platform' : false;

describe('the conformance suite', { skip }, () => {
  let upstream: URL;
  let gate: Gate;
  let token: string;

  before(async () => {
    upstream = new URL(await startConformanceServer(fileScope));
    const issuer = await createIssuer();
    token = await issuer.sign({ sub: 'alice' });
    gate = await startGate(fileScope, {
      upstreamPort: Number(upstream.port),
      more: [
        glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
        glooPolicy(rbac('jwt.sub == "alice" && mcp.method != ""'), {
          name: 'tools',
          target: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' },
        }),
      ],
    });
  });

  const run = (url: string, revision: Revision): Promise<SuiteRun> =>
    runSuite(fileScope, node ?? '', { url, revision, token });

  const revisions: readonly [Revision, number][] = [
    ['2025-11-25', 80],
    ['2026-07-28', 150],
  ];
  for (const [revision, leastPassed] of revisions) {
    test(`finds the same server through the gate: ${revision}`, async (t) => {
      const direct = await run(upstream.href, revision);
      const through = await run(`http://127.0.0.1:${gate.port}/mcp`, revision);

      const failed = [...direct.statuses].filter(
        ([name, status]) => status === 'FAILURE' && name !== REBINDING && !name.startsWith(TASKS),
      );
      assert.deepEqual(failed, [], `the fixture itself fails: ${direct.output}`);
      const passed = [...direct.statuses.values()].filter((status) => status === 'SUCCESS').length;
      assert.ok(passed >= leastPassed, `${passed} passed`);

      assert.deepEqual(differences(direct, through), []);
      t.diagnostic(`${passed} of ${direct.statuses.size} checks pass directly`);
      t.diagnostic(
        `rebinding: ${direct.statuses.get(REBINDING)} -> ${through.statuses.get(REBINDING)}`,
      );
    });
  }

  test('and the gate lets nobody in without the token', async () => {
    const stranger = await runSuite(fileScope, node ?? '', {
      url: `http://127.0.0.1:${gate.port}/mcp`,
      revision: '2025-11-25',
      token: 'none',
    });
    assert.equal(stranger.statuses.get('ping/ping'), 'FAILURE');
  });
});

/** The checks that did not end alike, in words; turning green is allowed for one. */
function differences(direct: SuiteRun, through: SuiteRun): string[] {
  const names = new Set([...direct.statuses.keys(), ...through.statuses.keys()]);
  return [...names].flatMap((name) => {
    const [was, is] = [direct.statuses.get(name), through.statuses.get(name)];
    if (was === is || (name === REBINDING && is === 'SUCCESS')) return [];
    return [`${name}: ${was} -> ${is} ${through.problems.get(name) ?? ''}`];
  });
}
