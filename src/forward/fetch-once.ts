import { Client } from 'undici';
import type { HeaderFields } from '../accept/request-head.ts';
import type { TargetPlan } from '../plan.ts';
import type { Bytes, Milliseconds } from '../units.ts';
import { connectOptions, sentServerName } from './connect-options.ts';
import { targetAuthority } from './target-authority.ts';
import { upstreamFailure } from './upstream-failure.ts';

/** Bounds the connection; what comes after it ends with the signal. */
const CONNECT_TIMEOUT_MS: Milliseconds = 10_000;

export interface FetchRequest {
  readonly method: 'GET';
  /** Path and query. */
  readonly path: string;
  /** The Host header to send. */
  readonly authority: string;
  readonly headers: HeaderFields;
}

export interface FetchLimits {
  /** Octets of the body; a larger one is an error. */
  readonly maxBodyBytes: Bytes;
  /** Ends the fetch wherever it is. */
  readonly signal: AbortSignal;
}

export interface Fetched {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly body: Buffer;
}

/**
 * Makes one request on a connection of its own, for documents of the control plane such as key sets.
 * Redirects are not followed, content codings not decoded. TLS is as the target's plan has it.
 *
 * @throws Error whose message says what went wrong, for the log: no connection, TLS, aborted, too large
 */
export async function fetchOnce(
  target: TargetPlan,
  request: FetchRequest,
  { maxBodyBytes, signal }: FetchLimits,
): Promise<Fetched> {
  if (target.tls?.invalid != null) throw new Error(target.tls.invalid);
  const scheme = target.tls === null ? 'http' : 'https';
  const client = new Client(`${scheme}://${targetAuthority(target)}`, {
    connect: connectOptions(target.tls, CONNECT_TIMEOUT_MS),
    autoSelectFamily: true,
    maxResponseSize: maxBodyBytes,
    pipelining: 1,
  });
  try {
    const answer = await client.request({
      method: request.method,
      path: request.path,
      headers: ['host', request.authority, 'user-agent', 'postern', ...request.headers],
      signal,
      // Left to itself undici would take the name from the Host header.
      ...(target.tls === null ? {} : { servername: sentServerName(target.tls) }),
    });
    const body = Buffer.from(await answer.body.arrayBuffer());
    return { status: answer.statusCode, headers: fieldsOf(answer.headers), body };
  } catch (error) {
    if (signal.aborted) throw new Error('aborted', { cause: error });
    const { code, detail } = upstreamFailure(error);
    const tooLarge = code === 'INTERNAL' && detail.startsWith('UND_ERR_RES_EXCEEDED_MAX_SIZE');
    throw new Error(tooLarge ? `the answer is over ${maxBodyBytes} octets` : detail, {
      cause: error,
    });
  } finally {
    void client.destroy().catch(() => undefined);
  }
}

function fieldsOf(headers: Readonly<Record<string, string | string[] | undefined>>): HeaderFields {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((text) => [name, text]),
  );
}
