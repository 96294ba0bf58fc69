/**
 * The plan: what all resources together say, checked and resolved to plain data.
 *
 * `resources/` makes it, the admin port shows it (without its secrets), the primary sends it to the
 * workers, and each worker's composition root builds the runtime from it. It holds no live objects, so
 * that it survives JSON. Names are lower case where the protocol ignores case (host and header names).
 */

import type { Milliseconds } from './units.ts';

export interface Plan {
  /** Counts the plans of this process, from 1. */
  readonly generation: number;
  readonly ports: readonly PortPlan[];
  /** Shared by rules through their index. */
  readonly authentications: readonly AuthenticationPlan[];
  /** Shared by rules through their index. */
  readonly authorizations: readonly AuthorizationPlan[];
  /** Shared by rules and backends through their index. */
  readonly localRateLimits: readonly LocalRateLimitPlan[];
  /** Shared by rules and backends through their index. */
  readonly globalRateLimits: readonly GlobalRateLimitPlan[];
  /** Shared by rules through their index. */
  readonly backends: readonly BackendPlan[];
}

/** One socket address to listen on, with all listeners of all Gateways that share it. */
export interface PortPlan {
  /** An IP address, or `null` for the process's default listen address. */
  readonly address: string | null;
  readonly port: number;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly listeners: readonly ListenerPlan[];
}

export interface ListenerPlan {
  /** `namespace/name` of the Gateway. */
  readonly gateway: string;
  readonly name: string;
  /** Exact name, `*.suffix`, or `null` for any host (Gateway API, Listener.hostname). */
  readonly hostname: string | null;
  /** Present exactly when the port's protocol is HTTPS. */
  readonly tls: CertificatePlan | null;
  /** Every rule of every HTTPRoute attached here. */
  readonly rules: readonly RulePlan[];
}

export interface CertificatePlan {
  /** `namespace/name` of the Secret. */
  readonly secret: string;
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
}

/** One rule of one HTTPRoute, as it applies on one listener. */
export interface RulePlan extends RateLimitIndexes {
  /** `namespace/name` of the HTTPRoute. */
  readonly route: string;
  readonly name: string | null;
  readonly index: number;
  /** metadata.creationTimestamp, RFC 3339, or the empty string; breaks ties between routes. */
  readonly createdAt: string;
  /** The route's hostnames narrowed to the listener's; empty means any host. */
  readonly hostnames: readonly string[];
  /** At least one; a request matches the rule when it matches any of them. */
  readonly matches: readonly MatchPlan[];
  readonly filters: readonly FilterPlan[];
  readonly cors: CorsPlan | null;
  /** `null`: no limit. Both bound the time to the first byte of the answer. */
  readonly timeouts: {
    readonly requestMs: Milliseconds | null;
    readonly backendRequestMs: Milliseconds | null;
  };
  readonly backends: readonly WeightedBackendPlan[];
  /** Indexes into {@link Plan.authentications}, in the order in which they run. */
  readonly authentications: readonly number[];
  /** Indexes into {@link Plan.authorizations}, all levels together. */
  readonly authorizations: readonly number[];
}

export interface MatchPlan {
  readonly path: {
    readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression';
    readonly value: string;
  };
  /** Upper case, or `null` for any. */
  readonly method: string | null;
  /** All must match. Names are lower case. */
  readonly headers: readonly ValueMatchPlan[];
  /** All must match. Names are compared as they are. */
  readonly queryParams: readonly ValueMatchPlan[];
}

export interface ValueMatchPlan {
  readonly type: 'Exact' | 'RegularExpression';
  readonly name: string;
  readonly value: string;
}

export type FilterPlan =
  | ({ readonly type: 'RequestHeaderModifier' } & HeaderModifierPlan)
  | ({ readonly type: 'ResponseHeaderModifier' } & HeaderModifierPlan)
  | {
      readonly type: 'URLRewrite';
      readonly hostname: string | null;
      readonly path: PathModifierPlan | null;
    }
  | {
      readonly type: 'RequestRedirect';
      readonly scheme: 'http' | 'https' | null;
      readonly hostname: string | null;
      readonly path: PathModifierPlan | null;
      readonly port: number | null;
      readonly statusCode: number;
    };

/** Names are lower case. */
export interface HeaderModifierPlan {
  readonly set: readonly HeaderPlan[];
  readonly add: readonly HeaderPlan[];
  readonly remove: readonly string[];
}

export interface HeaderPlan {
  readonly name: string;
  readonly value: string;
  /** Set where the value is a credential or came from the environment: it is never shown. */
  readonly sensitive?: boolean;
}

export interface PathModifierPlan {
  readonly type: 'ReplaceFullPath' | 'ReplacePrefixMatch';
  readonly value: string;
}

/** HTTPCORSFilter of Gateway API. */
export interface CorsPlan {
  /** Origins, `*`, or with a wildcard host such as `https://*.example.com`. */
  readonly allowOrigins: readonly string[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSeconds: number;
}

export interface WeightedBackendPlan {
  /** Index into {@link Plan.backends}, or `null` where the reference leads nowhere: 500. */
  readonly backend: number | null;
  /** Why `backend` is `null`. */
  readonly invalid: string | null;
  readonly weight: number;
  readonly filters: readonly FilterPlan[];
}

export interface BackendPlan extends RateLimitIndexes {
  /** `namespace/name`, with `:port` for a Service. */
  readonly name: string;
  readonly kind: string;
  /** An MCP backend's own path replaces the client's; a Static one gets the client's. */
  readonly type: 'MCP' | 'Static';
  readonly targets: readonly TargetPlan[];
  /** How several targets are one MCP server; `null` where the one target answers as it is. */
  readonly federation: FederationPlan | null;
  /**
   * Indexes into {@link Plan.authorizations} of the policies that target this Backend and so decide on MCP
   * methods; each with the target (sectionName) it is narrowed to, or `null` for all.
   */
  readonly mcpAuthorizations: readonly {
    readonly authorization: number;
    readonly target: string | null;
  }[];
}

export interface FederationPlan {
  /** Whether names carry the target's name in front of them (prefixMode). */
  readonly isPrefixed: boolean;
  readonly failureMode: 'FailClosed' | 'FailOpen';
}

export interface TargetPlan {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** MCP targets have one; others `null`. */
  readonly path: string | null;
  readonly protocol: 'StreamableHTTP' | 'SSE' | 'HTTP';
  readonly tls: TlsPlan | null;
}

/** BackendTLSPolicy, or the tls block of an AgentgatewayBackend. Never means "unverified". */
export interface TlsPlan {
  /** What asked for TLS: `Kind/namespace/name`. */
  readonly policy: string;
  /** Sent as SNI, and verified unless `subjectAltNames` are given. */
  readonly serverName: string;
  /** PEM certificates to trust instead of the system's, or `null` for the system's. */
  readonly caCertificatesPem: string | null;
  /** Any one of them must be in the server's certificate. */
  readonly subjectAltNames: readonly {
    readonly type: 'Hostname' | 'URI';
    readonly value: string;
  }[];
  /** Set where the policy can't be honoured: every connection must fail, with this reason. */
  readonly invalid: string | null;
}

/** How a policy answers a request whose token it does not accept. */
export interface AuthenticationPlan {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  readonly policyKind: string;
  readonly mode: 'RequireValid' | 'AllowMissing' | 'AllowMissingOrFailed';
  /** 403 without a challenge (GlooTrafficPolicy, TrafficPolicy) or 401 with `WWW-Authenticate`. */
  readonly failureStatus: 401 | 403;
  /** Tried for a token in this order; a token that any accepts passes. At least one. */
  readonly providers: readonly ProviderPlan[];
  /** OAuth scopes that a token must have, every one of them; absent: none. */
  readonly requiredScopes?: readonly string[];
  /** Present where the policy makes what it guards an OAuth protected resource (RFC 9728). */
  readonly protectedResource?: ProtectedResourcePlan;
}

/** What clients without a token are told of an MCP endpoint (RFC 9728, 2). */
export interface ProtectedResourcePlan {
  /** The resource identifier as the policy gives it, or `null`: the URL that the client uses. */
  readonly resource: string | null;
  readonly authorizationServers: readonly string[];
  /** Scopes on offer; empty: the document does not say. */
  readonly scopesSupported: readonly string[];
  /** Further members of the metadata document, under their names in it. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Where the metadata comes from that is mirrored for older clients (RFC 8414). */
  readonly authorizationServer: AuthorizationServerPlan;
}

export interface AuthorizationServerPlan {
  readonly issuer: string;
  /** Where the connection goes: what the keys are fetched from, else the issuer's own address. */
  readonly target: TargetPlan;
  /** Added to the authorization endpoint for a provider that knows no `resource` parameter (Auth0). */
  readonly audience: string | null;
}

export interface ProviderPlan {
  readonly name: string;
  readonly issuer: string | null;
  /** `null`: `aud` is not checked. */
  readonly audiences: readonly string[] | null;
  readonly clockSkewSeconds: number;
  readonly keepToken: boolean;
  readonly tokenSources: TokenSourcesPlan;
  readonly claimsToHeaders: readonly ClaimToHeaderPlan[];
  readonly keys: LocalKeysPlan | RemoteKeysPlan;
}

export interface TokenSourcesPlan {
  /** Header names are lower case. The prefix is compared without regard to case. */
  readonly headers: readonly { readonly header: string; readonly prefix: string }[];
  readonly queryParams: readonly string[];
}

export interface ClaimToHeaderPlan {
  /** Name of a claim; dots descend into objects. */
  readonly claim: string;
  readonly header: string;
  readonly append: boolean;
}

export interface LocalKeysPlan {
  readonly source: 'local';
  /** Public keys as JWK members (RFC 7517), each with a `kid`. */
  readonly jwks: readonly Readonly<Record<string, unknown>>[];
  /** True where one PEM key is all there is: a token without `kid` is then accepted. */
  readonly kidOptional: boolean;
}

export interface RemoteKeysPlan {
  readonly source: 'remote';
  /** Sets Host and path of the fetch. */
  readonly url: string;
  /** Where the connection goes. */
  readonly target: TargetPlan;
  readonly cacheDurationMs: Milliseconds;
  /** Whether the listener waits, up to a deadline, for the first fetch (fastListener: false). */
  readonly waitForFirstFetch: boolean;
}

export interface AuthorizationPlan {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  readonly policyKind: string;
  readonly action: 'Allow' | 'Deny' | 'Require';
  /** How this policy's denials of MCP requests look, where it says so itself (`postern.dev/on-deny`). */
  readonly onDeny: 'hide' | 'unknown' | 'forbidden' | 'tool_error' | null;
  /** CEL, checked when the plan was made. OR-ed for Allow and Deny; each must hold for Require. */
  readonly expressions: readonly string[];
  /** Indexes of expressions that hold something from the environment: no log shows their text. */
  readonly concealed?: readonly number[];
}

/** The rate limits of one place; `null` where none applies. */
export interface RateLimitIndexes {
  /** Index into {@link Plan.localRateLimits}. */
  readonly localRateLimit: number | null;
  /** Index into {@link Plan.globalRateLimits}. */
  readonly globalRateLimit: number | null;
}

/** Token buckets that each worker keeps for itself. */
export interface LocalRateLimitPlan {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  readonly policyKind: string;
  /** CEL that gives the text that requests are counted under; `null`: all are counted together. */
  readonly key: string | null;
  /** At least one; a request needs a token of each. */
  readonly buckets: readonly {
    readonly maxTokens: number;
    readonly tokensPerFill: number;
    readonly fillIntervalMs: Milliseconds;
  }[];
}

/** A limit that all replicas share: so many requests in a window that begins with the first. */
export interface GlobalRateLimitPlan {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  readonly policyKind: string;
  /** Policies of one domain with the same limit count together. */
  readonly domain: string;
  readonly requests: number;
  readonly windowSeconds: number;
  /** What becomes of requests that can't be counted. */
  readonly failureMode: 'FailClosed' | 'FailOpen';
  /** Each is counted by itself, under the names and the values (CEL) of its entries. */
  readonly descriptors: readonly (readonly {
    readonly name: string;
    readonly expression: string;
  }[])[];
}
