import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ISSUER } from '../tokens.ts';
import { startProgram, versionOf } from './program.ts';
import type { Setting, Subject } from './subject.ts';

export const haproxy: Subject = {
  name: 'haproxy',
  duties: ['plain', 'claim'],
  cachesTokens: 'no: every request is verified',
  version: () => versionOf('haproxy', ['-v']),
  async start(setting) {
    const keyFile = join(setting.folder, 'key.pem');
    const configFile = join(setting.folder, 'haproxy.cfg');
    writeFileSync(keyFile, setting.identities.rsaPublicKeyPem);
    writeFileSync(configFile, config(setting, keyFile));
    return startProgram(setting.port, {
      command: 'haproxy',
      args: ['-db', '-f', configFile],
      cores: setting.cores,
      stdoutFile: join(setting.folder, 'access.log'),
    });
  },
};

function config(setting: Setting, keyFile: string): string {
  const check = `
  http-request set-var(txn.token) http_auth_bearer
  http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
  http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 403 unless { var(txn.alg) -m str RS256 }
  http-request deny deny_status 403 unless { var(txn.token),jwt_verify(txn.alg,"${keyFile}") 1 }
  http-request deny deny_status 403 unless { var(txn.token),jwt_payload_query('$.iss') -m str ${ISSUER} }
  http-request deny deny_status 403 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request deny deny_status 403 unless { var(txn.token),jwt_payload_query('$.sub') -m str alice }
  http-request del-header authorization`;
  return `global
  nbthread ${setting.workers}
  maxconn 4000
  tune.bufsize 32768
${setting.accessLog ? '  log stdout format raw local0' : ''}
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
${setting.accessLog ? '  log global\n  option httplog' : ''}
  option http-keep-alive
  option http-no-delay
  http-reuse always
frontend gate
  bind 127.0.0.1:${setting.port}${setting.duty === 'claim' ? check : ''}
  default_backend mcp
backend mcp
  server mcp 127.0.0.1:${setting.upstreamPort}
`;
}
