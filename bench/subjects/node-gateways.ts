import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AUDIENCE, ISSUER } from '../tokens.ts';
import { startProgram } from './program.ts';
import type { Duty, Subject } from './subject.ts';

const folder = fileURLToPath(new URL('../peers/', import.meta.url));

function nodeGateway(
  name: string,
  packageName: string,
  duties: readonly Duty[],
  cachesTokens: string,
): Subject {
  return {
    name,
    duties,
    cachesTokens,
    version: () => {
      const file = join(folder, 'node_modules', packageName, 'package.json');
      if (!existsSync(file)) return null;
      const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
      return typeof found === 'object' && found !== null && 'version' in found
        ? String(found.version)
        : null;
    },
    async start({ folder: ownFolder, port, upstreamPort, duty, accessLog, identities, cores }) {
      const jobFile = join(ownFolder, 'job.json');
      const publicKeyPem = identities.rsaPublicKeyPem;
      writeFileSync(
        jobFile,
        JSON.stringify({
          ...{ port, upstreamPort, accessLog, publicKeyPem, duty },
          ...{ issuer: ISSUER, audience: AUDIENCE },
        }),
      );
      return startProgram(port, {
        command: process.execPath,
        args: [join(folder, `${name}.mjs`), jobFile],
        cores,
        stdoutFile: join(ownFolder, 'access.log'),
      });
    },
  };
}

/** Installed with `npm --prefix bench/peers ci`. */
export const fastify = nodeGateway(
  'fastify',
  '@fastify/http-proxy',
  ['plain', 'claim'],
  'yes: @fastify/jwt with cache on',
);
/** Installed with `npm --prefix bench/peers ci`. */
export const httpProxy = nodeGateway('http-proxy', 'http-proxy', ['plain'], '-: verifies none');
