/** Short forms of the resources that tests need; each returns one resource, {@link yaml} writes them. */
import { stringify } from 'yaml';

export type Resource = Readonly<Record<string, unknown>>;

/** A multi-document YAML file. */
export function yaml(...resources: readonly Resource[]): string {
  return resources.map((resource) => stringify(resource)).join('---\n');
}

export const GATEWAY_GROUP = 'gateway.networking.k8s.io';
export const KGATEWAY_GROUP = 'gateway.kgateway.dev';

/** A Gateway named `gate` with one HTTP listener, or with the listeners given. */
export function gateway(options: { port: number; listeners?: readonly Resource[] }): Resource {
  const http = { name: 'http', protocol: 'HTTP', port: options.port };
  return {
    apiVersion: `${GATEWAY_GROUP}/v1`,
    kind: 'Gateway',
    metadata: { name: 'gate' },
    spec: { gatewayClassName: 'agentgateway', listeners: options.listeners ?? [http] },
  };
}

/** An MCP Backend with one target on this machine. */
export function mcpBackend(options: {
  port: number;
  name?: string;
  host?: string;
  path?: string;
  protocol?: 'StreamableHTTP' | 'SSE';
}): Resource {
  const target = {
    name: 'target',
    static: {
      host: options.host ?? '127.0.0.1',
      port: options.port,
      ...(options.path === undefined ? {} : { path: options.path }),
      ...(options.protocol === undefined ? {} : { protocol: options.protocol }),
    },
  };
  return {
    apiVersion: `${KGATEWAY_GROUP}/v1alpha1`,
    kind: 'Backend',
    metadata: { name: options.name ?? 'mcp' },
    spec: { type: 'MCP', mcp: { targets: [target] } },
  };
}

/** A Static Backend: the client's path is kept. */
export function staticBackend(options: { port: number; name?: string }): Resource {
  return {
    apiVersion: `${KGATEWAY_GROUP}/v1alpha1`,
    kind: 'Backend',
    metadata: { name: options.name ?? 'mcp' },
    spec: { type: 'Static', static: { hosts: [{ host: '127.0.0.1', port: options.port }] } },
  };
}

/** An HTTPRoute from a path prefix to a Backend; `rule` adds to or replaces members of its one rule. */
export function route(
  options: {
    name?: string;
    prefix?: string;
    backend?: string;
    hostnames?: readonly string[];
    sectionName?: string;
    rule?: Resource;
  } = {},
): Resource {
  const parent = {
    name: 'gate',
    ...(options.sectionName === undefined ? {} : { sectionName: options.sectionName }),
  };
  return {
    apiVersion: `${GATEWAY_GROUP}/v1`,
    kind: 'HTTPRoute',
    metadata: { name: options.name ?? 'mcp' },
    spec: {
      parentRefs: [parent],
      ...(options.hostnames === undefined ? {} : { hostnames: options.hostnames }),
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: options.prefix ?? '/mcp' } }],
          backendRefs: [{ group: KGATEWAY_GROUP, kind: 'Backend', name: options.backend ?? 'mcp' }],
          ...options.rule,
        },
      ],
    },
  };
}

/** A GlooTrafficPolicy on the Gateway, unless `target` says otherwise. */
export function glooPolicy(
  spec: Resource,
  options: { name?: string; target?: Resource } = {},
): Resource {
  return {
    apiVersion: 'gloo.solo.io/v1alpha1',
    kind: 'GlooTrafficPolicy',
    metadata: { name: options.name ?? 'jwt' },
    spec: {
      targetRefs: [options.target ?? { group: GATEWAY_GROUP, kind: 'Gateway', name: 'gate' }],
      ...spec,
    },
  };
}

/** The `glooJWT` member of a {@link glooPolicy} with one provider. */
export function glooJwt(provider: Resource): Resource {
  return { glooJWT: { beforeExtAuth: { providers: { test: provider } } } };
}

/** The `jwks` member of a provider with local keys. */
export function localJwks(...keys: readonly unknown[]): Resource {
  return { jwks: { local: { key: JSON.stringify({ keys }) } } };
}

/** The `rbac` member of a {@link glooPolicy}. */
export function rbac(...expressions: readonly string[]): Resource {
  return { rbac: { policy: { matchExpressions: expressions } } };
}

/** A Secret of type kubernetes.io/tls. */
export function tlsSecret(name: string, pair: { certPem: string; keyPem: string }): Resource {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': pair.certPem, 'tls.key': pair.keyPem },
  };
}

/** A ConfigMap as caCertificateRefs point to. */
export function caConfigMap(name: string, certPem: string): Resource {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { 'ca.crt': certPem } };
}

/** A BackendTLSPolicy for the Backend named `mcp`. */
export function backendTls(validation: Resource, backend = 'mcp'): Resource {
  return {
    apiVersion: `${GATEWAY_GROUP}/v1`,
    kind: 'BackendTLSPolicy',
    metadata: { name: `${backend}-tls` },
    spec: { targetRefs: [{ group: KGATEWAY_GROUP, kind: 'Backend', name: backend }], validation },
  };
}

/** The `jwks` member of a provider whose keys are fetched through the Static Backend named `idp`. */
export function remoteJwks(options: {
  cacheDuration?: string;
  fastListener?: boolean;
  url?: string;
}): Resource {
  const remote = {
    url: options.url ?? 'http://idp.test/jwks.json',
    backendRef: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'idp' },
    cacheDuration: options.cacheDuration ?? '5m',
    asyncFetch: { fastListener: options.fastListener ?? false },
  };
  return { jwks: { remote } };
}

/** An AgentgatewayBackend with these MCP targets. */
export function federation(options: {
  name: string;
  targets: readonly Resource[];
  prefixMode?: string;
  failureMode?: string;
}): Resource {
  const { name, ...mcp } = options;
  return {
    apiVersion: 'agentgateway.dev/v1alpha1',
    kind: 'AgentgatewayBackend',
    metadata: { name },
    spec: { mcp },
  };
}
