import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort } from '../../test/harness/free-port.ts';
import { start, untilListening } from '../process.ts';
import { AUDIENCE, ISSUER } from '../tokens.ts';
import type { Setting, Subject } from './subject.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** What the upstream serves; an MCP backend has a path of its own. */
const PATHS = [
  ...['/mcp', '/session', '/session-sse'],
  ...['/list/10', '/list/100', '/list/1000'],
  ...['/list-sse/10', '/list-sse/100', '/list-sse/1000'],
  ...['/stream/200000', '/idle'],
];

/** Where web pages may come from anywhere: preflights of it are answered to whoever asks. */
export const PREFLIGHT_PATH = '/preflight';
const OPEN_TO_PAGES = { allowOrigins: ['*'], allowMethods: ['POST'] };

export interface PosternSetting extends Setting {
  /** Postern's own sources: another commit's, or the working tree's. */
  readonly root?: string;
  /** Further options of `postern run`. */
  readonly options?: readonly string[];
}

export const postern: Subject = {
  name: 'postern',
  duties: ['plain', 'claim', 'tool'],
  cachesTokens: 'yes: by the exact token, never past its end',
  version: () => {
    const found: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    return typeof found === 'object' && found !== null && 'version' in found
      ? String(found.version)
      : null;
  },
  // All of the load has one subject.
  start: (setting) =>
    startPostern({
      ...setting,
      options: ['--max-streams-per-principal=0', '--max-requests-per-principal=0'],
    }),
};

/** Starts the built command line. */
export async function startPostern(setting: PosternSetting) {
  const { folder, port, cores, workers, accessLog, profileFolder, options = [] } = setting;
  // Not beside the access log: what stands beside the resources is watched.
  const resources = join(folder, 'config', 'resources');
  mkdirSync(resources, { recursive: true });
  writeFileSync(join(resources, 'bench.yaml'), posternResources(setting));
  const [adminPort, metricsPort] = [await freePort(), await freePort()];
  const started = start({
    command: process.execPath,
    args: [
      join(setting.root ?? root, 'dist/cli.js'),
      ...['run', '-f', resources, '--workers', String(workers)],
      ...['--admin-address', `127.0.0.1:${adminPort}`],
      ...['--metrics-address', `127.0.0.1:${metricsPort}`],
      ...['--listen-address', '127.0.0.1', '--log-level', 'error'],
      ...(accessLog ? [] : ['--access-log', 'off']),
      ...options,
    ],
    cores,
    stdoutFile: join(folder, 'access.log'),
    ...(profileFolder === null
      ? {}
      : {
          env: {
            NODE_OPTIONS: `--import ${new URL('../profile-hook.mjs', import.meta.url).href}`,
            POSTERN_BENCH_PROFILES: profileFolder,
          },
        }),
  });
  try {
    await untilListening(port, started);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return {
    port,
    pid: started.pid,
    resourceFile: join(resources, 'bench.yaml'),
    metricsPort,
    stop: () => started.stop(),
  };
}

/** The YAML a user would write for the duty. */
export function posternResources({ duty, port, upstreamPort, identities }: Setting): string {
  const group = 'gateway.networking.k8s.io';
  const backends = PATHS.map((path) => ({
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'Backend',
    metadata: { name: nameOf(path) },
    spec: {
      type: 'MCP',
      mcp: { targets: [{ name: 'mcp', static: { host: '127.0.0.1', port: upstreamPort, path } }] },
    },
  }));
  const routes = {
    apiVersion: `${group}/v1`,
    kind: 'HTTPRoute',
    metadata: { name: 'bench' },
    spec: {
      parentRefs: [{ name: 'bench' }],
      rules: [
        ...PATHS.map((path) => ruleOf(path, path)),
        { ...ruleOf(PREFLIGHT_PATH, '/mcp'), filters: [{ type: 'CORS', cors: OPEN_TO_PAGES }] },
      ],
    },
  };
  const jwt = {
    providers: {
      bench: {
        issuer: ISSUER,
        audiences: [AUDIENCE],
        jwks: { local: { key: identities.jwks } },
      },
    },
  };
  const rule = (expression: string) => ({ policy: { matchExpressions: [expression] } });
  const policy = (name: string, targetRef: object, spec: object) => ({
    apiVersion: 'gloo.solo.io/v1alpha1',
    kind: 'GlooTrafficPolicy',
    metadata: { name },
    spec: { targetRefs: [targetRef], ...spec },
  });
  const policies = [
    ...(duty === 'plain'
      ? []
      : [
          policy(
            'claim',
            { group, kind: 'Gateway', name: 'bench' },
            { glooJWT: { beforeExtAuth: jwt }, rbac: rule('jwt.sub == "alice"') },
          ),
        ]),
    ...(duty === 'tool'
      ? PATHS.map((path) =>
          policy(
            `tool${nameOf(path)}`,
            { group: 'gateway.kgateway.dev', kind: 'Backend', name: nameOf(path) },
            { rbac: rule('jwt.team == "tools" && mcp.tool.name == "echo"') },
          ),
        )
      : []),
  ];
  const gateway = {
    apiVersion: `${group}/v1`,
    kind: 'Gateway',
    metadata: { name: 'bench' },
    spec: {
      gatewayClassName: 'agentgateway',
      listeners: [{ name: 'http', protocol: 'HTTP', port }],
    },
  };
  return [gateway, routes, ...backends, ...policies].map((one) => stringify(one)).join('---\n');
}

function ruleOf(path: string, backendPath: string) {
  return {
    matches: [{ path: { type: 'Exact', value: path } }],
    backendRefs: [{ group: 'gateway.kgateway.dev', kind: 'Backend', name: nameOf(backendPath) }],
  };
}

function nameOf(path: string): string {
  return `b${path.replaceAll('/', '-')}`;
}
