/** What it takes to check a signature: CPU of all threads for one check, of a batch as the verify pool makes them. */
import { generateKeyPairSync } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import { isSigned } from '../../../src/authenticate/check-signature.ts';
import type { Algorithm } from '../../../src/authenticate/algorithms.ts';
import { makeToken } from '../../tokens.ts';

const BATCH = 32;
const ROUNDS = 7;
const ROUND_MS = 200;

const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const;

const cases = new Map<string, () => unknown>();
for (const algorithm of ['RS256', 'ES256', 'EdDSA'] as const satisfies readonly Algorithm[]) {
  const { publicKey, privateKey } = pairs[algorithm];
  const tokens = Array.from({ length: BATCH }, (_, index) =>
    makeToken(algorithm, privateKey, 'alice', index),
  );
  const imported = await importJWK(publicKey.export({ format: 'jwk' }), algorithm);
  cases.set(`${algorithm}: checked here`, () =>
    tokens.every((token) => isSigned(token, algorithm, publicKey)),
  );
  cases.set(`${algorithm}: checked by WebCrypto, through jose`, () =>
    Promise.all(tokens.map((token) => compactVerify(token, imported, { algorithms: [algorithm] }))),
  );
}

const best = new Map<string, number>();
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, run] of cases) {
    const before = process.cpuUsage();
    let checks = 0;
    let microseconds = 0;
    while (microseconds < ROUND_MS * 1000) {
      await run();
      checks += BATCH;
      const { user, system } = process.cpuUsage(before);
      microseconds = user + system;
    }
    best.set(name, Math.min(best.get(name) ?? Infinity, microseconds / checks));
  }
}
for (const [name, microseconds] of best) {
  process.stdout.write(`${name.padEnd(45)} ${microseconds.toFixed(1).padStart(6)} µs\n`);
}
