/** A gateway as a Node team would write it: Fastify, its JWT and its proxy plugin. `node fastify.mjs JOB` */
import { readFileSync } from 'node:fs';
import jwt from '@fastify/jwt';
import proxy from '@fastify/http-proxy';
import Fastify from 'fastify';

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const app = Fastify({ logger: job.accessLog, bodyLimit: 4 * 1024 * 1024 });
if (job.duty === 'claim') {
  await app.register(jwt, {
    secret: { public: job.publicKeyPem },
    verify: {
      algorithms: ['RS256'],
      allowedIss: job.issuer,
      allowedAud: job.audience,
      cache: true,
    },
  });
}
await app.register(proxy, {
  upstream: `http://127.0.0.1:${job.upstreamPort}`,
  undici: { connections: 512, pipelining: 1 },
  preHandler: async (request, reply) => {
    if (job.duty !== 'claim') return;
    try {
      await request.jwtVerify();
    } catch {
      return reply.code(403).send();
    }
    if (request.user.sub !== 'alice') return reply.code(403).send();
  },
});
await app.listen({ host: '127.0.0.1', port: job.port });
process.once('SIGTERM', () => process.exit(0));
