/** The gate of a soak: the built command line, its resources, its upstreams. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../test/harness/free-port.ts';
import {
  gateway,
  GATEWAY_GROUP,
  glooJwt,
  glooPolicy,
  KGATEWAY_GROUP,
  mcpBackend,
  rbac,
  remoteJwks,
  route,
  staticBackend,
  yaml,
} from '../../test/harness/resources.ts';
import { until } from '../../test/harness/until.ts';
import { start, untilListening, type Started } from '../process.ts';
import { ISSUER } from './identity.ts';
import type { Backend } from './ledger.ts';
import { visibleTools } from './traffic.ts';

export interface SoakSubject {
  readonly port: number;
  readonly pid: number;
  /** Files that hold the access log and what the gate said besides. */
  readonly logFile: string;
  processLog(): string;
  /** Writes resources that differ from the last ones, or that are broken. */
  reload(broken: boolean): void;
  /** The generation in force. */
  generation(): Promise<number>;
  /** The sum of a metric over its labels. */
  metric(name: string): Promise<number>;
  restart(backend: Backend): Promise<void>;
  stopUpstreams(): Promise<void>;
  stop(): Promise<void>;
  removeFiles(): void;
}

const backends: readonly Backend[] = ['fast', 'stream', 'faulty'];
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const upstreamFile = fileURLToPath(new URL('upstream.mjs', import.meta.url));
const broken = ['kind: [', 'kind: Gateway\nspec: 1\n', '---\nfoo: {bar: *baz}\n'];

/** @param headersTimeoutMs after which a silent upstream is given up */
export async function startSubject(
  jwksPort: number,
  headersTimeoutMs: number,
): Promise<SoakSubject> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-soak-'));
  const [port, adminPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const upstreams = new Map<Backend, { readonly port: number; running: Started }>();
  for (const name of backends) {
    const upstreamPort = await freePort();
    upstreams.set(name, { port: upstreamPort, running: await startUpstream(upstreamPort) });
  }
  let round = 0;
  const write = (text: string): void => {
    writeFileSync(join(folder, 'draft'), text);
    renameSync(join(folder, 'draft'), join(folder, 'resources.yaml'));
  };
  const resources = (): string =>
    yaml(
      gateway({ port }),
      staticBackend({ name: 'idp', port: jwksPort }),
      glooPolicy({
        ...glooJwt({ issuer: ISSUER, ...remoteJwks({ cacheDuration: '500ms' }) }),
        ...rbac('jwt.sub == "alice" || jwt.sub == "carol"', `jwt.sub == "round-${round}"`),
      }),
      ...[...upstreams].flatMap(([name, upstream]) => [
        mcpBackend({ name, port: upstream.port, path: '/mcp' }),
        route({ name, prefix: `/${name}`, backend: name }),
        glooPolicy(rbac(`mcp.tool.name in ${JSON.stringify(visibleTools)}`), {
          name: `tools-${name}`,
          target: { group: KGATEWAY_GROUP, kind: 'Backend', name },
        }),
      ]),
      {
        apiVersion: `${GATEWAY_GROUP}/v1`,
        kind: 'HTTPRoute',
        metadata: { name: `extra-${round}` },
        spec: {
          parentRefs: [{ name: 'gate' }],
          rules: [{ matches: [{ path: { value: `/extra-${round}` } }] }],
        },
      },
    );
  write(resources());

  const logFile = join(folder, 'access.log');
  const gate = start({
    command: process.execPath,
    args: [
      ...[cli, 'run', '-f', join(folder, 'resources.yaml'), '--workers=2'],
      ...['--listen-address=127.0.0.1', `--admin-address=127.0.0.1:${adminPort}`],
      ...[`--metrics-address=127.0.0.1:${metricsPort}`],
      `--upstream-headers-timeout=${headersTimeoutMs}ms`,
    ],
    cores: null,
    stdoutFile: logFile,
  });
  const get = async (sidePort: number, path: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${sidePort}${path}`, {
      headers: { connection: 'close' },
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.text();
  };
  await until(
    'the gate to be ready',
    async () => {
      if (gate.hasEnded()) throw new Error(`the gate ended: ${gate.errorText()}`);
      return get(adminPort, '/healthz/ready').then(
        () => true,
        () => false,
      );
    },
    30_000,
  );

  return {
    port,
    pid: gate.pid,
    logFile,
    processLog: () => gate.errorText(),
    reload(isBroken) {
      round += 1;
      write(isBroken ? (broken[round % broken.length] ?? '') : resources());
    },
    async generation() {
      return (JSON.parse(await get(adminPort, '/config')) as { generation: number }).generation;
    },
    async metric(name) {
      const text = await get(metricsPort, '/metrics');
      const values = text.matchAll(new RegExp(`^postern_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'));
      return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
    },
    async restart(backend) {
      const upstream = upstreams.get(backend);
      if (upstream === undefined) return;
      await upstream.running.stop();
      upstream.running = await startUpstream(upstream.port);
    },
    async stopUpstreams() {
      await Promise.all([...upstreams.values()].map(({ running }) => running.stop()));
    },
    stop: () => gate.stop(),
    removeFiles: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function startUpstream(port: number): Promise<Started> {
  const args = [upstreamFile, String(port)];
  const running = start({ command: process.execPath, args, cores: null });
  await untilListening(port, running, 30_000);
  return running;
}
