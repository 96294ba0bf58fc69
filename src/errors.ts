/**
 * The closed catalogue of refusals: every answer that Postern gives of its own accord because it
 * will not, or cannot, let a request through.
 *
 * The client gets `text` and `status`. The access log gets `text`, the reason, and the details that a
 * {@link Refusal} carries. A fault of ours or of an upstream never has a 4xx status.
 */

/** The few words a refusal is counted under; also the `reason` label of the metrics. */
export type Reason =
  | 'JwtAuth'
  | 'Authorization'
  | 'NotFound'
  | 'InvalidRequest'
  | 'RateLimit'
  | 'Timeout'
  | 'UpstreamFailure'
  | 'NoHealthyBackend'
  | 'Overload'
  | 'ClientClosed'
  | 'Internal';

/** One row of the catalogue. */
export interface RefusalKind {
  readonly code: RefusalCode;
  /** HTTP status (RFC 9110); 499 is never sent, it marks a client that went away in the log. */
  readonly status: number;
  /** JSON-RPC 2.0 error code, for the places that answer in JSON-RPC. */
  readonly jsonRpcCode: number;
  readonly reason: Reason;
  /** Whether the same request may succeed later without a change by the client. */
  readonly retryable: boolean;
  /** What the client is told, text/plain. */
  readonly text: string;
  /** Whether the rest of the connection can't be trusted to be the next request. */
  readonly closesConnection: boolean;
}

type Row = Omit<RefusalKind, 'code' | 'closesConnection'> & { readonly closesConnection?: boolean };

const jwt = (text: string): Row => ({
  status: 403,
  jsonRpcCode: -32603,
  reason: 'JwtAuth',
  retryable: false,
  text: `authentication failure: ${text}`,
});

const request = (status: number, text: string): Row => ({
  status,
  jsonRpcCode: -32600,
  reason: 'InvalidRequest',
  retryable: false,
  text,
  closesConnection: true,
});

const upstream = (status: number, text: string): Row => ({
  status,
  jsonRpcCode: -32603,
  reason: 'UpstreamFailure',
  retryable: true,
  text,
});

const limit = (status: number, reason: Reason, text: string): Row => ({
  status,
  jsonRpcCode: -32603,
  reason,
  retryable: true,
  text,
});

// prettier-ignore
const rows = {
  // Limits. What a caller alone is to blame for is 429, what the process has no room for 503.
  REQUESTS_EXCEEDED: limit(503, 'Overload', 'too many requests in flight'),
  OVERLOADED: limit(503, 'Overload', 'overloaded'),
  ADDRESS_RATE_EXCEEDED: limit(429, 'RateLimit', 'rate limit exceeded'),
  ADDRESS_REQUESTS_EXCEEDED: limit(429, 'RateLimit', 'too many requests in flight from this address'),
  PRINCIPAL_REQUESTS_EXCEEDED: limit(429, 'RateLimit', 'too many requests in flight of this caller'),
  PRINCIPAL_STREAMS_EXCEEDED: limit(429, 'RateLimit', 'too many event streams of this caller'),
  RATE_LIMITED: limit(429, 'RateLimit', 'rate limit exceeded'),
  RATE_LIMIT_UNAVAILABLE: limit(503, 'RateLimit', 'rate limit failed'),

  // Authentication. The status 403 is the guide's; a policy's own failure status replaces it.
  TOKEN_MISSING: jwt('no bearer token found'),
  TOKEN_AMBIGUOUS: jwt('the request carries more than one token'),
  TOKEN_TOO_LARGE: jwt('the token is too large'),
  TOKEN_MALFORMED: jwt('the token header is malformed: Error(InvalidToken)'),
  TOKEN_WITHOUT_KID: jwt('the token header does not specify a `kid`'),
  TOKEN_KEY_UNKNOWN: jwt('token uses an unknown key'),
  TOKEN_ALGORITHM_REFUSED: jwt('the token is invalid or malformed: Error(InvalidAlgorithm)'),
  TOKEN_SIGNATURE_INVALID: jwt('the token is invalid or malformed: Error(InvalidSignature)'),
  TOKEN_CLAIMS_MALFORMED: jwt('the token is invalid or malformed: Error(InvalidClaimFormat)'),
  TOKEN_WITHOUT_EXP: jwt('the token is invalid or malformed: Error(MissingRequiredClaim("exp"))'),
  TOKEN_EXPIRED: jwt('the token is invalid or malformed: Error(ExpiredSignature)'),
  TOKEN_NOT_YET_VALID: jwt('the token is invalid or malformed: Error(ImmatureSignature)'),
  TOKEN_ISSUER_MISMATCH: jwt('the token is invalid or malformed: Error(InvalidIssuer)'),
  TOKEN_AUDIENCE_MISMATCH: jwt('the token is invalid or malformed: Error(InvalidAudience)'),
  KEYS_UNAVAILABLE: { status: 503, jsonRpcCode: -32603, reason: 'JwtAuth', retryable: true, text: 'authentication is not available: no key set could be fetched yet' },
  VERIFICATION_OVERLOADED: { status: 503, jsonRpcCode: -32603, reason: 'Overload', retryable: true, text: 'authentication is overloaded' },
  VERIFICATION_FAILED: { status: 503, jsonRpcCode: -32603, reason: 'Internal', retryable: true, text: 'authentication is not available' },

  // Authorization.
  SCOPE_INSUFFICIENT: { status: 403, jsonRpcCode: -32603, reason: 'Authorization', retryable: false, text: 'authorization failed: the token lacks a scope' },
  AUTHORIZATION_DENIED: { status: 403, jsonRpcCode: -32603, reason: 'Authorization', retryable: false, text: 'authorization failed' },

  // Routing.
  LISTENER_NOT_FOUND: { status: 404, jsonRpcCode: -32601, reason: 'NotFound', retryable: false, text: 'listener not found' },
  ROUTE_NOT_FOUND: { status: 404, jsonRpcCode: -32601, reason: 'NotFound', retryable: false, text: 'route not found' },
  METADATA_NOT_FOUND: { status: 404, jsonRpcCode: -32601, reason: 'NotFound', retryable: false, text: 'no such metadata' },
  METADATA_UNAVAILABLE: upstream(503, 'the metadata of the authorization server is not available'),
  ORIGIN_FORBIDDEN: { status: 403, jsonRpcCode: -32600, reason: 'Authorization', retryable: false, text: 'origin not allowed' },
  MISDIRECTED: { status: 421, jsonRpcCode: -32600, reason: 'InvalidRequest', retryable: false, text: 'misdirected request' },

  // The request itself.
  REQUEST_INVALID: request(400, 'invalid request'),
  BODY_TIMEOUT: request(408, 'request body timeout'),
  // The rest of the body is read and dropped: a connection closed under a client that still sends would
  // take the answer with it.
  BODY_TOO_LARGE: { ...request(413, 'request body too large'), closesConnection: false },
  TARGET_TOO_LONG: request(414, 'request target too long'),
  SESSION_UNKNOWN: { status: 404, jsonRpcCode: -32001, reason: 'NotFound', retryable: false, text: 'Session not found' },
  TASK_UNKNOWN: { status: 404, jsonRpcCode: -32602, reason: 'NotFound', retryable: false, text: 'Task not found' },
  METHOD_NOT_ALLOWED: { ...request(405, 'method not allowed'), closesConnection: false },
  MESSAGE_INVALID: { ...request(400, 'the message is not valid'), closesConnection: false },
  HEADERS_TOO_LARGE: request(431, 'request header fields too large'),

  // Streams of HTTP+SSE.
  STREAMS_EXHAUSTED: { status: 503, jsonRpcCode: -32603, reason: 'Overload', retryable: true, text: 'too many streams are open' },
  STREAMS_OF_CALLER_EXHAUSTED: { status: 429, jsonRpcCode: -32603, reason: 'RateLimit', retryable: true, text: 'too many streams of one caller are open' },
  MESSAGES_IN_FLIGHT: { status: 429, jsonRpcCode: -32603, reason: 'RateLimit', retryable: true, text: 'too many messages of one stream wait for an answer' },
  CLIENT_TOO_SLOW: { status: 503, jsonRpcCode: -32603, reason: 'Overload', retryable: true, text: 'the client reads its stream too slowly' },

  // Upstream.
  BACKEND_INVALID: { status: 500, jsonRpcCode: -32603, reason: 'NoHealthyBackend', retryable: true, text: 'no valid backends' },
  UPSTREAM_TLS_INVALID: upstream(503, 'upstream call failed: the TLS policy of the backend is not valid'),
  UPSTREAM_UNREACHABLE: upstream(503, 'upstream call failed: connection failed'),
  UPSTREAM_NAME_UNRESOLVED: upstream(503, 'backends required DNS resolution which failed'),
  UPSTREAM_TLS_FAILED: upstream(503, 'upstream call failed: TLS handshake failed'),
  UPSTREAM_RESET: upstream(502, 'upstream call failed: connection closed before an answer'),
  UPSTREAM_PROTOCOL: upstream(502, 'upstream call failed: the answer is not valid HTTP'),
  UPSTREAM_ANSWER_UNREADABLE: upstream(502, 'upstream call failed: the answer cannot be filtered'),
  UPSTREAM_OVERLOADED: { status: 503, jsonRpcCode: -32603, reason: 'Overload', retryable: true, text: 'upstream call failed: too many requests wait for a connection' },
  UPSTREAM_TIMEOUT: { status: 504, jsonRpcCode: -32603, reason: 'Timeout', retryable: true, text: 'request timeout' },

  // Ourselves and the client's side of the connection.
  CLIENT_CLOSED: { status: 499, jsonRpcCode: -32603, reason: 'ClientClosed', retryable: true, text: 'client closed the connection' },
  INTERNAL: { status: 500, jsonRpcCode: -32603, reason: 'Internal', retryable: true, text: 'internal error' },
} as const satisfies Record<string, Row>;

export type RefusalCode = keyof typeof rows;

/** The catalogue, by code. */
export const refusals: Readonly<Record<RefusalCode, RefusalKind>> = Object.freeze(
  Object.fromEntries(
    Object.entries(rows).map(([code, row]) => [
      code,
      Object.freeze({ closesConnection: false, ...row, code }),
    ]),
  ) as Record<RefusalCode, RefusalKind>,
);

/** What a refusal may carry besides its kind. */
export interface RefusalDetails {
  /** Replaces the catalogue's status, where a policy says so (401 against 403). */
  readonly status?: number;
  /** Replaces the catalogue's text for client and log alike. Never holds a token or a key. */
  readonly text?: string;
  /** Replaces the text/plain body where the answer speaks JSON-RPC; the log keeps the text. */
  readonly answer?: { readonly contentType: string; readonly body: string };
  /** For the log alone. */
  readonly detail?: string;
  /** `namespace/name` of the policy that refused. */
  readonly policy?: string;
  /** The expression that decided, where one did. */
  readonly rule?: string;
  /** Further response headers, name and value in turn. */
  readonly headers?: readonly string[];
}

/**
 * One refused request: a value, not an exception. Stages return it; the pipeline answers with it.
 */
export class Refusal {
  readonly kind: RefusalKind;
  readonly status: number;
  readonly text: string;
  readonly contentType: string;
  readonly body: string;
  readonly detail: string | undefined;
  readonly policy: string | undefined;
  readonly rule: string | undefined;
  readonly headers: readonly string[];

  constructor(code: RefusalCode, details: RefusalDetails = {}) {
    this.kind = refusals[code];
    this.status = details.status ?? this.kind.status;
    this.text = details.text ?? this.kind.text;
    this.contentType = details.answer?.contentType ?? 'text/plain';
    this.body = details.answer?.body ?? this.text;
    this.detail = details.detail;
    this.policy = details.policy;
    this.rule = details.rule;
    this.headers = details.headers ?? [];
  }
}
