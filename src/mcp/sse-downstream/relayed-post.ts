import type { HeaderFields, RequestHead } from '../../accept/request-head.ts';
import { isJsonObject, type JsonObject } from '../../json/read-json.ts';

/** One POST on its way from the worker that got it to the worker that holds its stream. */
export interface RelayedPost {
  readonly id: number;
  /** Names the port it came in at. */
  readonly port: string;
  readonly serverName: string | null;
  readonly head: RequestHead;
  readonly body: Buffer;
}

/** The answer on its way back. */
export interface RelayedAnswer {
  readonly id: number;
  readonly status: number;
  readonly headers: HeaderFields;
  readonly body: string;
  /** Whether the answer to the message comes on the stream, and is counted there. */
  readonly isCarried: boolean;
  /** What the policies of the holder decided: it may know names that the other worker does not. */
  readonly denial: RelayedDenial | null;
}

export interface RelayedDenial {
  readonly policy: string;
  readonly rule: string;
  readonly detail: string;
}

export function writeRelayedPost(post: RelayedPost): string {
  return JSON.stringify({ ...post, body: post.body.toString('base64') });
}

/** @returns `null` for what no worker of this version writes */
export function readRelayedPost(payload: string): RelayedPost | null {
  const value = readPayload(payload);
  if (value === null) return null;
  const { id, port, serverName, head, body } = value;
  if (typeof id !== 'number' || typeof port !== 'string' || typeof body !== 'string') return null;
  if (serverName !== null && typeof serverName !== 'string') return null;
  if (!isRequestHead(head)) return null;
  return { id, port, serverName, head, body: Buffer.from(body, 'base64') };
}

/** @returns `null` for what no worker of this version writes */
export function readRelayedAnswer(payload: string): RelayedAnswer | null {
  const value = readPayload(payload);
  if (value === null) return null;
  const { id, status, headers, body, isCarried, denial } = value;
  if (typeof id !== 'number' || typeof status !== 'number' || typeof body !== 'string') return null;
  if (!isHeaderFields(headers) || typeof isCarried !== 'boolean') return null;
  if (denial !== null && !isRelayedDenial(denial)) return null;
  return { id, status, headers, body, isCarried, denial };
}

function readPayload(payload: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(payload);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isRelayedDenial(value: unknown): value is RelayedDenial {
  return (
    isJsonObject(value) &&
    ['policy', 'rule', 'detail'].every((name) => typeof value[name] === 'string')
  );
}

function isRequestHead(value: unknown): value is RequestHead {
  if (!isJsonObject(value)) return false;
  const { query, headers, scheme, remotePort } = value;
  return (
    ['method', 'path', 'host', 'authority', 'remoteAddress'].every(
      (name) => typeof value[name] === 'string',
    ) &&
    (query === null || typeof query === 'string') &&
    (scheme === 'http' || scheme === 'https') &&
    (remotePort === null || typeof remotePort === 'number') &&
    isHeaderFields(headers)
  );
}

function isHeaderFields(value: unknown): value is HeaderFields {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}
