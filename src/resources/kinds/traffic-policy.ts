/**
 * TrafficPolicy (gateway.kgateway.dev/v1alpha1) and its two relatives that inline it: GlooTrafficPolicy
 * (gloo.solo.io/v1alpha1) and EnterpriseKgatewayTrafficPolicy (enterprisekgateway.solo.io/v1alpha1).
 * Targets are optional, because an HTTPRoute's ExtensionRef filter can attach the policy too.
 */

import {
  apiGroup,
  dnsLabel,
  kindName,
  objectName,
  rbac,
  targetReferences,
  targetSelectors,
} from './common.ts';
import { trafficRateLimit } from './rate-limit.ts';
import { ignored, object, refused, type Typed } from './schema.ts';
import { stagedJwt } from './staged-jwt.ts';

const noExtAuth = 'external authorization would not run';
const noRateLimit = 'its rate limits would not run; use rateLimit';
const noClaimRules = 'its rules would not run; use rbac with CEL expressions';

/** A provider list lives in a GatewayExtension of type JWT. Default: that kind, own namespace. */
const jwtAuth = object(
  {},
  {
    extensionRef: object(
      { name: objectName },
      { group: apiGroup, kind: kindName, namespace: dnsLabel },
    ),
    disable: object({}),
  },
  { exactlyOneOf: ['extensionRef', 'disable'] },
);

const shared = {
  targetRefs: targetReferences,
  targetSelectors,
  rbac,
  rateLimit: trafficRateLimit,
  transformation: ignored(),
  extProc: ignored(),
  ai: ignored(),
  cors: ignored(),
  csrf: ignored(),
  headerModifiers: ignored(),
  autoHostRewrite: ignored(),
  urlRewrite: ignored(),
  buffer: ignored(),
  compression: ignored(),
  timeouts: ignored(),
  retry: ignored(),
  extAuth: refused(noExtAuth, 'disable'),
  basicAuth: refused('basic authentication would not run', 'disable'),
  apiKeyAuth: refused('API key authentication would not run', 'disable'),
  apiKeyAuthentication: refused('API key authentication would not run', 'disable'),
  basicAuthentication: refused('basic authentication would not run', 'disable'),
  oauth2: refused('OAuth 2.0 authentication would not run', 'disable'),
};

export const trafficPolicySpec = object({}, { ...shared, jwtAuth });
export type TrafficPolicySpec = Typed<typeof trafficPolicySpec>;

export const glooTrafficPolicySpec = object(
  {},
  {
    ...shared,
    glooJWT: stagedJwt,
    glooRateLimit: refused(noRateLimit),
    glooTransformation: ignored(),
    glooExtAuth: refused(noExtAuth, 'disable'),
    glooRBAC: refused(noClaimRules, 'disable'),
  },
  {
    atMostOneOf: [
      ['rateLimit', 'glooRateLimit'],
      ['transformation', 'glooTransformation'],
      ['extAuth', 'glooExtAuth'],
    ],
  },
);
export type GlooTrafficPolicySpec = Typed<typeof glooTrafficPolicySpec>;

export const enterpriseKgatewayTrafficPolicySpec = object(
  {},
  {
    ...shared,
    jwtAuth,
    entJWT: stagedJwt,
    entRateLimit: refused(noRateLimit),
    entTransformation: ignored(),
    entExtAuth: refused(noExtAuth, 'disable'),
    entRBAC: refused(noClaimRules, 'disable'),
  },
  {
    atMostOneOf: [
      ['jwtAuth', 'entJWT'],
      ['rateLimit', 'entRateLimit'],
      ['transformation', 'entTransformation'],
      ['extAuth', 'entExtAuth'],
    ],
  },
);
export type EnterpriseKgatewayTrafficPolicySpec = Typed<typeof enterpriseKgatewayTrafficPolicySpec>;
