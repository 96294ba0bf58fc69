import type { RefusalCode } from '../errors.ts';

const CODES: Readonly<Record<string, RefusalCode>> = {
  ENODATA: 'UPSTREAM_NAME_UNRESOLVED',
  ENOTFOUND: 'UPSTREAM_NAME_UNRESOLVED',
  ECONNREFUSED: 'UPSTREAM_UNREACHABLE',
  EHOSTDOWN: 'UPSTREAM_UNREACHABLE',
  EHOSTUNREACH: 'UPSTREAM_UNREACHABLE',
  ENETDOWN: 'UPSTREAM_UNREACHABLE',
  ENETUNREACH: 'UPSTREAM_UNREACHABLE',
  EACCES: 'UPSTREAM_UNREACHABLE',
  EADDRNOTAVAIL: 'UPSTREAM_UNREACHABLE',
  ECONNABORTED: 'UPSTREAM_UNREACHABLE',
  EPERM: 'UPSTREAM_UNREACHABLE',
  ETIMEDOUT: 'UPSTREAM_UNREACHABLE',
  UND_ERR_CONNECT_TIMEOUT: 'UPSTREAM_UNREACHABLE',
  // This process or its machine has no more of something: no fault of the upstream.
  EMFILE: 'UPSTREAM_OVERLOADED',
  ENFILE: 'UPSTREAM_OVERLOADED',
  ENOBUFS: 'UPSTREAM_OVERLOADED',
  ENOMEM: 'UPSTREAM_OVERLOADED',
  ECONNRESET: 'UPSTREAM_RESET',
  EPIPE: 'UPSTREAM_RESET',
  UND_ERR_SOCKET: 'UPSTREAM_RESET',
  UND_ERR_CLOSED: 'UPSTREAM_RESET',
  UND_ERR_DESTROYED: 'UPSTREAM_RESET',
  UND_ERR_HEADERS_TIMEOUT: 'UPSTREAM_TIMEOUT',
  UND_ERR_BODY_TIMEOUT: 'UPSTREAM_TIMEOUT',
  UND_ERR_HEADERS_OVERFLOW: 'UPSTREAM_PROTOCOL',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'UPSTREAM_PROTOCOL',
  UND_ERR_RESPONSE: 'UPSTREAM_PROTOCOL',
  UND_ERR_NOT_SUPPORTED: 'UPSTREAM_PROTOCOL',
  EPROTO: 'UPSTREAM_TLS_FAILED',
};

/** The names OpenSSL's verification errors and Node's TLS errors begin with. */
const TLS_CODE =
  /^(ERR_TLS|ERR_SSL|CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/;

export interface UpstreamFailure {
  readonly code: RefusalCode;
  /** For the log: the error's own code and words, without what the client sent. */
  readonly detail: string;
}

/**
 * Maps what undici, Node's sockets, TLS and the HTTP parser report to the catalogue.
 *
 * @param error whatever was thrown or reported
 */
export function upstreamFailure(error: unknown): UpstreamFailure {
  const code = errorCode(error);
  const message = errorMessage(error);
  const detail = code === '' ? message : `${code}: ${message}`;
  const known = CODES[code];
  if (known !== undefined) return { code: known, detail };
  if (code.startsWith('EAI_')) return { code: 'UPSTREAM_NAME_UNRESOLVED', detail };
  if (TLS_CODE.test(code)) return { code: 'UPSTREAM_TLS_FAILED', detail };
  // undici's parser leaves some of its errors without a code.
  if (code.startsWith('HPE_') || isParserError(error)) return { code: 'UPSTREAM_PROTOCOL', detail };
  return { code: 'INTERNAL', detail };
}

function isParserError(error: unknown): boolean {
  return error instanceof Error && error.name === 'HTTPParserError';
}

/** Node tells of several addresses that failed in one error without words of its own. */
function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message;
  return error.errors.map(errorMessage).join('; ');
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  return errorCode(error.cause);
}
