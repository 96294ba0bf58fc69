/** GatewayExtension (gateway.kgateway.dev/v1alpha1) with a JWT block: the providers of TrafficPolicy.jwtAuth. */

import { backendObjectReference, duration, headerName, objectName } from './common.ts';
import { boolean, ignored, list, object, oneOfWords, string, type Typed } from './schema.ts';
import { jwksUrl } from './staged-jwt.ts';

/** Default: Authorization with "Bearer ". */
const tokenSource = object(
  {},
  {
    header: object({ header: headerName }, { prefix: string({ minLength: 1, maxLength: 256 }) }),
    queryParameter: string({ minLength: 1, maxLength: 256 }),
  },
  { exactlyOneOf: ['header', 'queryParameter'] },
);

const localJwks = object(
  {},
  {
    inline: string({ minLength: 1, maxLength: 16384, sensitive: true }),
    /** A ConfigMap in the same namespace; its data key is `jwks`. */
    configMapRef: object({ name: objectName }),
  },
  { exactlyOneOf: ['inline', 'configMapRef'] },
);

/** Default cacheDuration 5m; fastListener false. */
const remoteJwks = object(
  { url: jwksUrl, backendRef: backendObjectReference },
  {
    cacheDuration: duration,
    asyncFetch: object({}, { fastListener: boolean() }),
    retryPolicy: ignored(),
  },
);

/** Default forwardToken false; no issuer or audiences: not checked. */
const namedProvider = object(
  {
    name: objectName,
    jwks: object(
      {},
      { local: localJwks, remote: remoteJwks },
      { exactlyOneOf: ['local', 'remote'] },
    ),
  },
  {
    issuer: string({ maxLength: 2048 }),
    audiences: list(string({ minLength: 1, maxLength: 2048 }), { minItems: 1, maxItems: 32 }),
    tokenSource,
    claimsToHeaders: list(
      object({ name: string({ minLength: 1, maxLength: 2048 }), header: headerName }),
      { minItems: 1, maxItems: 32 },
    ),
    forwardToken: boolean(),
  },
);
export type GatewayExtensionJwtProvider = Typed<typeof namedProvider>;

/** `type` is the older, redundant discriminator. Default validationMode Strict. */
export const gatewayExtensionSpec = object(
  {},
  {
    type: oneOfWords('JWT', 'ExtAuth', 'ExtProc', 'RateLimit', 'OAuth2'),
    jwt: object(
      { providers: list(namedProvider, { minItems: 1, maxItems: 32, uniqueBy: 'name' }) },
      { validationMode: oneOfWords('Strict', 'AllowMissing') },
    ),
    extAuth: ignored(),
    extProc: ignored(),
    rateLimit: ignored(),
    oauth2: ignored(),
  },
  { exactlyOneOf: ['jwt', 'extAuth', 'extProc', 'rateLimit', 'oauth2'] },
);
export type GatewayExtensionSpec = Typed<typeof gatewayExtensionSpec>;
