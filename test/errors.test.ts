import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal, refusals, type RefusalCode } from '../src/errors.ts';

/** The whole catalogue: code, status, reason. Who changes it changes what clients and dashboards see. */
const catalogue = `
REQUESTS_EXCEEDED 503 Overload
OVERLOADED 503 Overload
ADDRESS_RATE_EXCEEDED 429 RateLimit
ADDRESS_REQUESTS_EXCEEDED 429 RateLimit
PRINCIPAL_REQUESTS_EXCEEDED 429 RateLimit
PRINCIPAL_STREAMS_EXCEEDED 429 RateLimit
RATE_LIMITED 429 RateLimit
RATE_LIMIT_UNAVAILABLE 503 RateLimit
TOKEN_MISSING 403 JwtAuth
TOKEN_AMBIGUOUS 403 JwtAuth
TOKEN_TOO_LARGE 403 JwtAuth
TOKEN_MALFORMED 403 JwtAuth
TOKEN_WITHOUT_KID 403 JwtAuth
TOKEN_KEY_UNKNOWN 403 JwtAuth
TOKEN_ALGORITHM_REFUSED 403 JwtAuth
TOKEN_SIGNATURE_INVALID 403 JwtAuth
TOKEN_CLAIMS_MALFORMED 403 JwtAuth
TOKEN_WITHOUT_EXP 403 JwtAuth
TOKEN_EXPIRED 403 JwtAuth
TOKEN_NOT_YET_VALID 403 JwtAuth
TOKEN_ISSUER_MISMATCH 403 JwtAuth
TOKEN_AUDIENCE_MISMATCH 403 JwtAuth
KEYS_UNAVAILABLE 503 JwtAuth
VERIFICATION_OVERLOADED 503 Overload
VERIFICATION_FAILED 503 Internal
SCOPE_INSUFFICIENT 403 Authorization
AUTHORIZATION_DENIED 403 Authorization
LISTENER_NOT_FOUND 404 NotFound
ROUTE_NOT_FOUND 404 NotFound
METADATA_NOT_FOUND 404 NotFound
METADATA_UNAVAILABLE 503 UpstreamFailure
ORIGIN_FORBIDDEN 403 Authorization
MISDIRECTED 421 InvalidRequest
REQUEST_INVALID 400 InvalidRequest
BODY_TIMEOUT 408 InvalidRequest
BODY_TOO_LARGE 413 InvalidRequest
TARGET_TOO_LONG 414 InvalidRequest
SESSION_UNKNOWN 404 NotFound
TASK_UNKNOWN 404 NotFound
METHOD_NOT_ALLOWED 405 InvalidRequest
MESSAGE_INVALID 400 InvalidRequest
HEADERS_TOO_LARGE 431 InvalidRequest
STREAMS_EXHAUSTED 503 Overload
STREAMS_OF_CALLER_EXHAUSTED 429 RateLimit
MESSAGES_IN_FLIGHT 429 RateLimit
CLIENT_TOO_SLOW 503 Overload
BACKEND_INVALID 500 NoHealthyBackend
UPSTREAM_TLS_INVALID 503 UpstreamFailure
UPSTREAM_UNREACHABLE 503 UpstreamFailure
UPSTREAM_NAME_UNRESOLVED 503 UpstreamFailure
UPSTREAM_TLS_FAILED 503 UpstreamFailure
UPSTREAM_RESET 502 UpstreamFailure
UPSTREAM_PROTOCOL 502 UpstreamFailure
UPSTREAM_ANSWER_UNREADABLE 502 UpstreamFailure
UPSTREAM_OVERLOADED 503 Overload
UPSTREAM_TIMEOUT 504 Timeout
CLIENT_CLOSED 499 ClientClosed
INTERNAL 500 Internal
`;

test('the catalogue is the fixed list', () => {
  const rows = Object.values(refusals).map(
    ({ code, status, reason }) => `${code} ${status} ${reason}`,
  );
  assert.deepEqual(rows, catalogue.trim().split('\n'));
});

const CLIENT_FAULTS = new Set([
  'JwtAuth',
  'Authorization',
  'NotFound',
  'InvalidRequest',
  'RateLimit',
  'ClientClosed',
]);

describe('each refusal', () => {
  for (const [code, kind] of Object.entries(refusals)) {
    test(`${code} is one line of visible ASCII with a status of its side`, () => {
      assert.equal(kind.code, code);
      assert.match(kind.text, /^[!-~][ -~]*[!-~]$/);
      assert.ok(Number.isInteger(kind.jsonRpcCode) && kind.jsonRpcCode < 0);
      assert.ok(kind.status >= 400 && kind.status <= 599);
      if (kind.status < 500) assert.ok(CLIENT_FAULTS.has(kind.reason));
      else assert.equal(kind.retryable, true, 'a fault that is not the client\u2019s may pass');
      assert.ok(Object.isFrozen(kind));
    });
  }
});

test('only a request whose end is not known for sure closes the connection', () => {
  const closing = Object.values(refusals).filter(({ closesConnection }) => closesConnection);
  assert.deepEqual(
    closing.map(({ code }) => code),
    ['REQUEST_INVALID', 'BODY_TIMEOUT', 'TARGET_TOO_LONG', 'HEADERS_TOO_LARGE'],
  );
});

describe('a refusal', () => {
  test('has the status and text of its kind, and nothing else', () => {
    const refusal = new Refusal('ROUTE_NOT_FOUND');
    assert.equal(refusal.status, 404);
    assert.equal(refusal.text, 'route not found');
    assert.deepEqual(
      [refusal.detail, refusal.policy, refusal.rule, refusal.headers],
      [undefined, undefined, undefined, []],
    );
  });

  test('can have another status and text, headers, and words for the log', () => {
    const details = {
      status: 401,
      text: 'no',
      detail: 'd',
      policy: 'a/b',
      rule: 'r',
      headers: ['x', 'y'],
    };
    const { kind, ...rest } = new Refusal('TOKEN_MISSING', details);
    assert.equal(kind.status, 403);
    assert.deepEqual(rest, { ...details, contentType: 'text/plain', body: 'no' });
  });

  test('has one shape, whatever it carries', () => {
    const keys = (code: RefusalCode, details = {}) => Object.keys(new Refusal(code, details));
    assert.deepEqual(keys('INTERNAL'), keys('INTERNAL', { detail: 'x', rule: 'y', headers: [] }));
  });
});
