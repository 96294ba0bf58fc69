import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram, versionOf } from './program.ts';
import type { Subject } from './subject.ts';

const command = process.env.POSTERN_BENCH_TRAEFIK ?? 'traefik';

export const traefik: Subject = {
  name: 'traefik',
  duties: ['plain'],
  cachesTokens: '-: verifies none (the open version has no JWT middleware)',
  version: () => versionOf(command, ['version']),
  async start({ folder, port, upstreamPort, workers, accessLog, cores }) {
    const dynamicFile = join(folder, 'dynamic.yml');
    const configFile = join(folder, 'traefik.yml');
    writeFileSync(
      dynamicFile,
      JSON.stringify({
        http: {
          routers: { all: { rule: 'PathPrefix(`/`)', service: 'mcp', entryPoints: ['gate'] } },
          services: {
            mcp: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${upstreamPort}` }] } },
          },
        },
      }),
    );
    writeFileSync(
      configFile,
      JSON.stringify({
        entryPoints: { gate: { address: `127.0.0.1:${port}` } },
        providers: { file: { filename: dynamicFile } },
        global: { checkNewVersion: false, sendAnonymousUsage: false },
        ...(accessLog
          ? { accessLog: { filePath: join(folder, 'access.log'), bufferingSize: 100 } }
          : {}),
      }),
    );
    return startProgram(port, {
      command,
      args: [`--configFile=${configFile}`],
      cores,
      env: { GOMAXPROCS: String(workers) },
    });
  },
};
