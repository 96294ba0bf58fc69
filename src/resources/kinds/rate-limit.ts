/** `rateLimit` of the TrafficPolicy family, and of the Agentgateway policies. */

import { celExpression, duration, headerName } from './common.ts';
import {
  ignored,
  integer,
  list,
  object,
  oneOfWords,
  refused,
  string,
  type Typed,
} from './schema.ts';

const most = 1_000_000_000;

/** Requests. Default tokensPerFill 1. */
const tokenBucket = object(
  { maxTokens: integer(1, most), fillInterval: duration },
  { tokensPerFill: integer(1, most) },
);

const entryName = string({ minLength: 1, maxLength: 256 });

/** By type: the block of the same name, lower case; RemoteAddress and Path need none. */
const entry = object(
  { type: oneOfWords('Generic', 'Header', 'RemoteAddress', 'Path') },
  {
    generic: object({ key: entryName, value: string({ maxLength: 1024 }) }),
    header: headerName,
  },
);
export type TrafficRateLimitEntry = Typed<typeof entry>;

/** `local` without a bucket turns off what a less specific policy says. */
export const trafficRateLimit = object(
  {},
  {
    local: object({}, { tokenBucket }),
    global: object(
      {
        descriptors: list(object({ entries: list(entry, { minItems: 1, maxItems: 16 }) }), {
          minItems: 1,
          maxItems: 16,
        }),
      },
      { extensionRef: ignored() },
    ),
  },
);
export type TrafficRateLimit = Typed<typeof trafficRateLimit>;

/** `burst` comes on top of what the unit allows. */
const localLimit = object(
  { unit: oneOfWords('Seconds', 'Minutes', 'Hours') },
  {
    requests: integer(1, most),
    burst: integer(0, most),
    tokens: refused('tokens of language models are not counted; use requests'),
  },
  { exactlyOneOf: ['requests', 'tokens'] },
);

const descriptor = object(
  {
    entries: list(object({ name: entryName, expression: celExpression }), {
      minItems: 1,
      maxItems: 16,
    }),
  },
  { unit: oneOfWords('Requests'), cost: ignored() },
);

/** Default failureMode FailClosed. */
export const agentgatewayRateLimit = object(
  {},
  {
    local: list(localLimit, { minItems: 1, maxItems: 16 }),
    global: object(
      { descriptors: list(descriptor, { minItems: 1, maxItems: 16 }) },
      {
        domain: string({ minLength: 1, maxLength: 256 }),
        failureMode: oneOfWords('FailClosed', 'FailOpen'),
        backendRef: ignored(),
      },
    ),
    conditional: refused('the limits would hold for every request, or for none'),
  },
);
export type AgentgatewayRateLimit = Typed<typeof agentgatewayRateLimit>;
