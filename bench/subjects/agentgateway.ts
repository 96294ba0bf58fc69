import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIENCE, ISSUER } from '../tokens.ts';
import { startProgram, versionOf } from './program.ts';
import type { Setting, Subject } from './subject.ts';

/** Where its binary is: neither npm nor Debian has it. */
const command = process.env.POSTERN_BENCH_AGENTGATEWAY ?? 'agentgateway';

export const agentgateway: Subject = {
  name: 'agentgateway',
  duties: ['plain', 'claim', 'tool'],
  cachesTokens: 'no: every request is verified',
  version: () => versionOf(command, ['--version']),
  async start(setting) {
    const jwksFile = join(setting.folder, 'jwks.json');
    const configFile = join(setting.folder, 'agentgateway.json');
    writeFileSync(jwksFile, setting.identities.jwks);
    writeFileSync(configFile, JSON.stringify(config(setting, jwksFile)));
    return startProgram(setting.port, {
      command,
      args: ['-f', configFile],
      cores: setting.cores,
      stdoutFile: join(setting.folder, 'access.log'),
      env: { WORKER_THREADS: String(setting.workers) },
    });
  },
};

function config({ duty, port, upstreamPort }: Setting, jwksFile: string): object {
  const policies = {
    jwtAuth: {
      mode: 'strict',
      issuer: ISSUER,
      audiences: [AUDIENCE],
      jwks: { file: jwksFile },
    },
    ...(duty === 'tool'
      ? { mcpAuthorization: { rules: ['jwt.sub == "alice" && mcp.tool.name == "echo"'] } }
      : { authorization: { rules: ['jwt.sub == "alice"'] } }),
  };
  const backend =
    duty === 'tool'
      ? {
          mcp: {
            targets: [{ name: 'mcp', mcp: { host: `http://127.0.0.1:${upstreamPort}/mcp` } }],
          },
        }
      : { host: `127.0.0.1:${upstreamPort}` };
  const route = { ...(duty === 'plain' ? {} : { policies }), backends: [backend] };
  return { binds: [{ port, listeners: [{ routes: [route] }] }] };
}
