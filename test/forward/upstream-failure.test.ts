import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from 'undici';
import { refusals, type RefusalCode } from '../../src/errors.ts';
import { upstreamFailure } from '../../src/forward/upstream-failure.ts';

const coded = (code: string): Error => Object.assign(new Error('words'), { code });
const table: Readonly<Partial<Record<RefusalCode, readonly string[]>>> = {
  UPSTREAM_NAME_UNRESOLVED: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'ENODATA'],
  UPSTREAM_UNREACHABLE: [
    'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EADDRNOTAVAIL', 'EACCES', 'EPERM',
    'ECONNABORTED', 'UND_ERR_CONNECT_TIMEOUT',
  ], // prettier-ignore
  UPSTREAM_OVERLOADED: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'],
  UPSTREAM_RESET: ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_CLOSED', 'UND_ERR_DESTROYED'],
  UPSTREAM_TIMEOUT: ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
  UPSTREAM_PROTOCOL: [
    'UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'HPE_INVALID_CONSTANT',
    'HPE_INVALID_HEADER_TOKEN', 'HPE_CHUNK_EXTENSIONS_OVERFLOW',
  ], // prettier-ignore
  UPSTREAM_TLS_FAILED: [
    'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'CERT_REVOKED',
    'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'HOSTNAME_MISMATCH', 'INVALID_CA', 'EPROTO',
    'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  ], // prettier-ignore
  INTERNAL: ['UND_ERR_INVALID_ARG', 'UND_ERR_ABORTED', 'E_SOMETHING_NEW', ''],
};
for (const [code, errorCodes] of Object.entries(table)) {
  for (const errorCode of errorCodes) {
    test(`${errorCode || 'an error without a code'} is ${code}`, () => {
      const failure = upstreamFailure(coded(errorCode));
      assert.equal(failure.code, code);
      assert.equal(failure.detail, errorCode === '' ? 'words' : `${errorCode}: words`);
      assert.ok(refusals[failure.code].status >= 500);
    });
  }
}

test('the code of a cause, and of the first of several errors, counts', () => {
  const cause = new Error('outer', { cause: coded('ENOTFOUND') });
  assert.equal(upstreamFailure(cause).code, 'UPSTREAM_NAME_UNRESOLVED');
  const several = new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')], '');
  assert.deepEqual(upstreamFailure(several), {
    code: 'UPSTREAM_UNREACHABLE',
    detail: 'ECONNREFUSED: words; words',
  });
});

test('the errors of undici itself are known', () => {
  assert.equal(upstreamFailure(new errors.HeadersOverflowError()).code, 'UPSTREAM_PROTOCOL');
  assert.equal(upstreamFailure(new errors.HeadersTimeoutError()).code, 'UPSTREAM_TIMEOUT');
  assert.equal(upstreamFailure(new errors.ConnectTimeoutError()).code, 'UPSTREAM_UNREACHABLE');
  assert.equal(upstreamFailure(new errors.SocketError('x')).code, 'UPSTREAM_RESET');
  assert.equal(
    upstreamFailure(Object.assign(new Error('x'), { code: 'HPE_INVALID' })).code,
    'UPSTREAM_PROTOCOL',
  );
});

test('what is not an error is an internal failure', () => {
  for (const thrown of [undefined, null, 'text', 5, { code: 'ECONNRESET' }]) {
    assert.deepEqual(upstreamFailure(thrown), { code: 'INTERNAL', detail: 'unknown error' });
  }
});
