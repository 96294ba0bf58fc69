/**
 * Nobody gets at a tool, prompt or resource by saying it in another way. Each probe goes over a raw socket to
 * servers of both generations of the official SDK, as three callers: Bob, who may nothing; Alice, who may what is
 * open; Dave, who may all but what is secret. What is secret is never carried out, listed or told. The servers
 * themselves guard nothing, which each row shows as well.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startGate, type Gate } from '../harness/gate.ts';
import { glooJwt, glooPolicy, KGATEWAY_GROUP, localJwks, mcpBackend, rbac, route } from '../harness/resources.ts'; // prettier-ignore
import { fileScope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { LOOT, startVault1, startVault2, type VaultServer } from '../peers/vault-servers.ts';
import { exchangeOctets } from './bypass/exchange-octets.ts';
import { httpProbes } from './bypass/http-probes.ts';
import { jsonTexts } from './bypass/json-texts.ts';
import { echoCall, plainMessage } from './bypass/messages.ts';
import { otherObjects } from './bypass/other-objects.ts';
import { request, type Aim, type Probe } from './bypass/probe.ts';
import { spellings } from './bypass/spellings.ts';

const callers = ['bob', 'alice', 'dave'] as const;
type Caller = (typeof callers)[number];

/** `name` is what there is of mcp.tool, mcp.prompt and mcp.resource. */
const rules = [
  'jwt.sub == "alice" && mcp.tool.name == "echo"',
  'jwt.sub == "alice" && mcp.prompt.name == "greet"',
  'jwt.sub == "alice" && mcp.resource.name == "test://open"',
  'jwt.sub == "dave" && mcp.tool.name != "secret"',
  'jwt.sub == "dave" && mcp.prompt.name != "secret"',
  'jwt.sub == "dave" && !mcp.resource.name.startsWith("test://secret")',
];

interface Target {
  readonly name: string;
  readonly path: string;
  readonly vault: VaultServer;
  readonly aims: Readonly<Record<Caller, Aim>>;
  /** The server's own port, with a session of its own. */
  readonly direct: Aim;
  /** The probes that got what they were after from the server itself. */
  readonly fallen: string[];
}

let gate: Gate;
let targets: readonly Target[];

before(async () => {
  const vaults = [await startVault1(fileScope), await startVault2(fileScope)] as const;
  const issuer = await createIssuer();
  const names = ['sdk1', 'sdk2'] as const;
  gate = await startGate(fileScope, {
    upstreamPort: vaults[0].port,
    more: [
      glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
      ...names.flatMap((name, index) => [
        mcpBackend({ port: vaults[index]?.port ?? 0, name }),
        route({ name, prefix: `/${name}`, backend: name }),
        glooPolicy(rbac(...rules), {
          name: `${name}-objects`,
          target: { group: KGATEWAY_GROUP, kind: 'Backend', name },
        }),
      ]),
    ],
  });
  targets = await Promise.all(
    names.map(async (name, index): Promise<Target> => {
      const vault = vaults[index] ?? vaults[0];
      const path = `/${name}`;
      const isSessionful = name === 'sdk1';
      const aimOf = async (sub: string): Promise<Aim> => {
        const token = await issuer.sign({ sub });
        return {
          path,
          token,
          session: isSessionful ? await openSession(gate.port, path, token) : null,
        };
      };
      const [bob, alice, dave] = await Promise.all(callers.map(aimOf));
      assert.ok(bob && alice && dave);
      const session = isSessionful ? await openSession(vault.port, path, 'none') : null;
      return { name, path, vault, aims: { bob, alice, dave }, direct: { path, token: 'none', session }, fallen: [] }; // prettier-ignore
    }),
  );
});

async function openSession(port: number, path: string, token: string): Promise<string> {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'bypass', version: '1' },
    },
  });
  const octets = request(
    { path, token, session: null },
    { body, headers: [['x-open-session', '1']] },
  );
  const session = /\r\nmcp-session-id: *(\S+)/i.exec(await exchangeOctets(port, octets))?.[1];
  assert.ok(session !== undefined);
  return session;
}

const probes: readonly Probe[] = [...spellings, ...jsonTexts, ...httpProbes, ...otherObjects];

async function attempt(target: Target, probe: Probe): Promise<void> {
  const { vault, aims, direct } = target;
  const executions = vault.executions;
  const answers = await Promise.all(
    callers.map((caller) =>
      exchangeOctets(gate.port, probe.octets(aims[caller]), probe.isMany !== true),
    ),
  );
  // What is allowed still works, and whatever the probes began has had the time to end.
  const echo = await exchangeOctets(gate.port, request(aims.alice, { body: echoCall('legacy') }));
  assert.match(echo, /echoed/);
  for (const [index, answer] of answers.entries()) {
    assert.ok(!answer.includes(LOOT), `${callers[index]} was told: ${answer}`);
  }
  assert.equal(vault.executions, executions, 'what is secret was carried out');

  const honest = request(direct, { body: plainMessage(probe.prey) });
  const told = await exchangeOctets(vault.port, honest);
  if (probe.prey !== 'list') assert.equal(vault.executions, executions + 1);
  if (probe.prey !== 'subscription') assert.ok(told.includes(LOOT), told);

  const count = vault.executions;
  const answer = await exchangeOctets(vault.port, probe.octets(direct), probe.isMany !== true);
  if (answer.includes(LOOT) || vault.executions > count) target.fallen.push(probe.name);
}

describe('what is secret is never carried out, listed or told', { concurrency: 1 }, () => {
  const names = new Set<string>();
  for (const probe of probes) {
    assert.ok(!names.has(probe.name), `twice: ${probe.name}`);
    names.add(probe.name);
    test(probe.name, async () => {
      // All have to end before the next row begins, or it would be blamed for them.
      const ends = await Promise.allSettled(targets.map((target) => attempt(target, probe)));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    });
  }

  test('though a server alone gives it to most who ask', (t) => {
    for (const { name, fallen } of targets) {
      t.diagnostic(`${name} fell for ${fallen.length} of ${probes.length} probes`);
      assert.ok(fallen.length > 60, `${name} fell for ${fallen.length} probes`);
    }
  });
});
