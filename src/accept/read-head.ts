import { Refusal } from '../errors.ts';
import type { HeadFindings } from '../head-findings.ts';
import { checkHead, readLength, type HeadLimits } from './check-head.ts';
import { normaliseHost } from './host.ts';
import type { KnownHead, KnownHeads, RawHead } from './known-heads.ts';
import { headerValue } from './request-head.ts';
import { normalisePath } from './request-path.ts';

/** Visible ASCII without `#`: anything else would not reach every upstream as the same octets. */
const QUERY = /^[!"$-~]*$/;

export interface ReadHead {
  /** `null` for a head that can be read in one way only. */
  readonly refusal: Refusal | null;
  readonly path: string;
  readonly host: string;
  readonly authority: string;
  readonly hasBody: boolean;
  /** `null` with a refusal, and for a head of which nothing is remembered. */
  readonly findings: HeadFindings | null;
}

/**
 * Reads the head of a request, and checks what must hold before a stage looks at it: in order what {@link checkHead}
 * checks, the host, the path and the query. A head that is known is compared instead, and its length is checked.
 */
export function readHead(raw: RawHead, limits: HeadLimits, known: KnownHeads): ReadHead {
  const { method, target, query, headers } = raw;
  const same = known.find(method, target, query, headers);
  if (same !== null) return readKnown(same, headers[same.lengthAt], limits);

  const authority = headerValue(headers, 'host') ?? '';
  const host = normaliseHost(authority);
  const path = normalisePath(target);
  const refused = (refusal: Refusal, hasBody: boolean): ReadHead => ({
    refusal,
    path: path.ok ? path.path : target,
    host: host?.host ?? '',
    authority,
    hasBody,
    findings: null,
  });
  const targetLength = target.length + (query?.length ?? 0);
  const checked = checkHead(method, targetLength, headers, limits);
  if (checked instanceof Refusal) return refused(checked, false);
  const { hasBody } = checked;
  if (host === null) return refused(invalid('the Host header is not valid'), hasBody);
  if (!path.ok) return refused(invalid(path.why), hasBody);
  if (query !== null && !QUERY.test(query)) {
    return refused(invalid('the query contains what no URI may contain'), hasBody);
  }
  const isChunked = hasBody && headerValue(headers, 'content-length') === undefined;
  const read = { path: path.path, host: host.host, authority, isChunked };
  return accepted(read, known.add(raw, read), hasBody);
}

/** @param length the value of Content-Length, if the head has one */
function readKnown(head: KnownHead, length: string | undefined, limits: HeadLimits): ReadHead {
  if (length === undefined) return accepted(head, head.findings, head.isChunked);
  const bytes = readLength(length, limits.maxBodyBytes);
  if (!(bytes instanceof Refusal)) return accepted(head, head.findings, bytes > 0);
  const { path, host, authority } = head;
  return { refusal: bytes, path, host, authority, hasBody: false, findings: null };
}

function accepted(
  { path, host, authority }: Pick<KnownHead, 'path' | 'host' | 'authority'>,
  findings: HeadFindings | null,
  hasBody: boolean,
): ReadHead {
  return { refusal: null, path, host, authority, hasBody, findings };
}

function invalid(detail: string): Refusal {
  return new Refusal('REQUEST_INVALID', { detail });
}
