/** JWT authentication of Gloo: `glooJWT`, later `entJWT`. */

import { backendObjectReference, duration, headerName } from './common.ts';
import {
  boolean,
  ignored,
  integer,
  list,
  mapOf,
  object,
  oneOfWords,
  string,
  type Typed,
} from './schema.ts';

/** URL of a JWKS; a path is required. */
export const jwksUrl = string({
  minLength: 1,
  maxLength: 2048,
  pattern: '^https?://[^\\s/?#@]+/[^\\s#]*$',
  says: 'an http or https URL with a path, such as https://idp.example.com/keys',
});

/** A claim copied to a request header; dots in `claim` descend into objects. */
const claimToHeader = object(
  { claim: string({ minLength: 1, maxLength: 2048 }), header: headerName },
  { append: boolean() },
);

/** Default: Authorization with "Bearer ", and the query parameter access_token. */
const tokenSource = object(
  {},
  {
    headers: list(object({ header: headerName }, { prefix: string({ maxLength: 256 }) }), {
      maxItems: 16,
    }),
    queryParams: list(string({ minLength: 1, maxLength: 256 }), { maxItems: 16 }),
  },
);

/** Default cacheDuration 5m; fastListener false: the listener waits for the first fetch. */
const remoteJwks = object(
  { url: jwksUrl, backendRef: backendObjectReference },
  {
    cacheDuration: duration,
    asyncFetch: object({}, { fastListener: boolean() }),
    retryPolicy: ignored(),
  },
);

const jwks = object(
  {},
  {
    /** One JWK, a JWKS, or a PEM public key. */
    local: object({ key: string({ minLength: 1, maxLength: 262144, sensitive: true }) }),
    remote: remoteJwks,
  },
  { exactlyOneOf: ['local', 'remote'] },
);

/** Defaults: keepToken false, clockSkewSeconds 60; no issuer or audiences: not checked. */
const provider = object(
  { jwks },
  {
    issuer: string({ minLength: 1, maxLength: 2048 }),
    audiences: list(string({ minLength: 1, maxLength: 2048 }), { minItems: 1, maxItems: 64 }),
    tokenSource,
    keepToken: boolean(),
    claimsToHeaders: list(claimToHeader, { maxItems: 64 }),
    clockSkewSeconds: integer(0, 86400),
    attachFailedStatusToMetadata: ignored(),
  },
);
export type GlooJwtProvider = Typed<typeof provider>;

/** Default validationPolicy RequireValid. `disable` turns JWT off for the target. */
const stage = object(
  {},
  {
    providers: mapOf(provider, { minProperties: 1, maxProperties: 32 }),
    validationPolicy: oneOfWords('RequireValid', 'AllowMissing', 'AllowMissingOrFailed'),
    disable: object({}),
  },
  { exactlyOneOf: ['providers', 'disable'], atMostOneOf: [['disable', 'validationPolicy']] },
);
export type JwtStage = Typed<typeof stage>;

export const stagedJwt = object(
  {},
  { beforeExtAuth: stage, afterExtAuth: stage },
  { atLeastOneOf: ['beforeExtAuth', 'afterExtAuth'] },
);
export type StagedJwt = Typed<typeof stagedJwt>;
