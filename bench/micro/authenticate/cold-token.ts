/** What a new token costs the event loop: read and handed over, and refused while the verify threads have no room. */
import { createAuthenticator } from '../../../src/authenticate/authenticate.ts';
import { createKeySetStore } from '../../../src/authenticate/key-set-store.ts';
import { createIdentities, AUDIENCE, ISSUER } from '../../tokens.ts';

const identities = createIdentities();
const tokens = identities.many(500);
const jwks = (JSON.parse(identities.jwks) as { keys: Record<string, unknown>[] }).keys;
const ROUNDS = 7;

function authenticatorWith(isVerifyQueueFull: boolean) {
  return createAuthenticator(
    {
      ...{ policy: 'ns/jwt', policyKind: 'GlooTrafficPolicy', mode: 'RequireValid' },
      failureStatus: 403,
      providers: [
        {
          ...{ name: 'main', issuer: ISSUER, audiences: [AUDIENCE], clockSkewSeconds: 60 },
          ...{ keepToken: false, claimsToHeaders: [] },
          tokenSources: {
            headers: [{ header: 'authorization', prefix: 'Bearer ' }],
            queryParams: [],
          },
          keys: { source: 'local', jwks, kidOptional: false },
        },
      ],
    },
    {
      clock: Date.now,
      verifySignature: () => Promise.resolve('overloaded'),
      isVerifyQueueFull: () => isVerifyQueueFull,
      keySets: createKeySetStore({
        fetch: () => Promise.reject(new Error('no key set is remote')),
        ...{ clock: Date.now, random: Math.random, onWarning: () => undefined },
      }),
      onWarning: () => undefined,
    },
  );
}

const cases = new Map([
  ['read, judged, and refused by the pool', authenticatorWith(false)],
  ['refused before it is read', authenticatorWith(true)],
]);
const requests = tokens.map((token) => ({
  headers: ['authorization', `Bearer ${token}`],
  query: null,
}));
const best = new Map<string, number>();
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, authenticator] of cases) {
    const before = process.cpuUsage();
    for (const request of requests) await authenticator.authenticate(request, Date.now());
    const { user, system } = process.cpuUsage(before);
    best.set(name, Math.min(best.get(name) ?? Infinity, (user + system) / requests.length));
  }
}
for (const [name, microseconds] of best) {
  process.stdout.write(`cold token ${name.padEnd(40)} ${microseconds.toFixed(1).padStart(6)} µs\n`);
}
