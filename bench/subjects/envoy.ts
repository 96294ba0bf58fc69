import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIENCE, ISSUER } from '../tokens.ts';
import { startProgram, versionOf } from './program.ts';
import type { Setting, Subject } from './subject.ts';

const command = process.env.POSTERN_BENCH_ENVOY ?? 'envoy';
const typeUrl = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;

export const envoy: Subject = {
  name: 'envoy',
  duties: ['plain', 'claim'],
  cachesTokens: 'yes: jwt_cache_config, 10,000 entries',
  version: () => versionOf(command, ['--version']),
  async start(setting) {
    const configFile = join(setting.folder, 'envoy.json');
    writeFileSync(configFile, JSON.stringify(config(setting)));
    return startProgram(setting.port, {
      command,
      args: [
        ...['-c', configFile, '--concurrency', String(setting.workers)],
        ...['--log-level', 'error', '--disable-hot-restart', '--base-id', '0'],
      ],
      cores: setting.cores,
    });
  },
};

function config(setting: Setting): object {
  const { duty, port, upstreamPort, accessLog, folder } = setting;
  const manager = {
    '@type': typeUrl('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'gate',
    ...(accessLog
      ? {
          access_log: [
            {
              name: 'file',
              typed_config: {
                '@type': typeUrl('access_loggers.file.v3.FileAccessLog'),
                path: join(folder, 'access.log'),
              },
            },
          ],
        }
      : {}),
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'mcp', timeout: '0s' } }],
        },
      ],
    },
    http_filters: [
      ...(duty === 'plain' ? [] : [jwtFilter(setting), rbacFilter()]),
      {
        name: 'router',
        typed_config: { '@type': typeUrl('filters.http.router.v3.Router') },
      },
    ],
  };
  return {
    static_resources: {
      listeners: [
        {
          name: 'gate',
          address: socketAddress(port),
          filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
        },
      ],
      clusters: [
        {
          name: 'mcp',
          type: 'STATIC',
          connect_timeout: '5s',
          load_assignment: {
            cluster_name: 'mcp',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(upstreamPort) } }] }],
          },
        },
      ],
    },
  };
}

function socketAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

function jwtFilter({ identities }: Setting): object {
  return {
    name: 'jwt',
    typed_config: {
      '@type': typeUrl('filters.http.jwt_authn.v3.JwtAuthentication'),
      providers: {
        bench: {
          issuer: ISSUER,
          audiences: [AUDIENCE],
          local_jwks: { inline_string: identities.jwks },
          payload_in_metadata: 'payload',
          jwt_cache_config: { jwt_cache_size: 10_000, jwt_max_token_size: 8192 },
        },
      },
      rules: [{ match: { prefix: '/' }, requires: { provider_name: 'bench' } }],
    },
  };
}

function rbacFilter(): object {
  const isAlice = {
    metadata: {
      filter: 'envoy.filters.http.jwt_authn',
      path: [{ key: 'payload' }, { key: 'sub' }],
      value: { string_match: { exact: 'alice' } },
    },
  };
  return {
    name: 'rbac',
    typed_config: {
      '@type': typeUrl('filters.http.rbac.v3.RBAC'),
      rules: {
        action: 'ALLOW',
        policies: { alice: { permissions: [{ any: true }], principals: [isAlice] } },
      },
    },
  };
}
