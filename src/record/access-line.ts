/** One line of the access log: what is in it, in which order, and how it is written. */

import type { EpochMilliseconds, Milliseconds } from '../units.ts';
import { encodeString, encodeValue } from './encode-value.ts';
import type { ValueOrigin } from './encode-value.ts';

/** One finished request. What is `null` is left out of the line. */
export interface AccessRecord {
  /** When it ended, with fractions of a millisecond. */
  readonly endedAtMs: EpochMilliseconds;
  readonly gateway: string | null;
  readonly listener: string | null;
  readonly route: string | null;
  readonly remoteAddress: string;
  readonly remotePort: number | null;
  readonly method: string;
  readonly host: string;
  /** Without the query: tokens may stand there. */
  readonly path: string;
  readonly status: number;
  readonly subject: string | null;
  readonly error: string | null;
  readonly durationMs: Milliseconds;
  readonly reason: string | null;
  readonly policy: string | null;
  readonly rule: string | null;
  readonly detail: string | null;
  readonly backend: string | null;
  /** Of a backend that does not speak MCP. */
  readonly target: string | null;
  /** Of one that does. */
  readonly mcpTarget: string | null;
  /** What the message of an MCP request says; `null` for other requests. */
  readonly mcpMethod: string | null;
  readonly toolName: string | null;
  /** A hash: the id itself would let whoever reads the log into the session. */
  readonly sessionHash: string | null;
}

export type LogFormat = 'text' | 'json';

/** No line is longer: what POSIX promises a pipe takes whole (PIPE_BUF on Linux). */
export const maxLineBytes = 4096;

/**
 * Most characters of each encoded value; all together keep a line under `maxLineBytes`. A namespace has
 * up to 63 characters, a name up to 253.
 */
const limit = Object.freeze({
  resource: 320,
  listener: 128,
  source: 64,
  method: 32,
  host: 256,
  path: 400,
  subject: 256,
  error: 300,
  reason: 32,
  rule: 320,
  detail: 256,
  target: 100,
  mcpMethod: 64,
  toolName: 128,
  sessionHash: 16,
});

/**
 * Writes one request as one line, its line feed included. Both forms have the same fields in the same
 * order: those of the guide, and behind them the others.
 *
 * @returns printable ASCII, at most {@link maxLineBytes}
 */
export function accessLine(record: AccessRecord, format: LogFormat): string {
  return format === 'text' ? textLine(record) : jsonLine(record);
}

function textLine(record: AccessRecord): string {
  return (
    `${timestamp(record.endedAtMs)}\tinfo\trequest` +
    textField(' gateway=', record.gateway, 'foreign', limit.resource) +
    textField(' listener=', record.listener, 'foreign', limit.listener) +
    textField(' route=', record.route, 'foreign', limit.resource) +
    textField(' src.addr=', sourceAddress(record), 'foreign', limit.source) +
    textField(' http.method=', record.method, 'foreign', limit.method) +
    textField(' http.host=', record.host, 'foreign', limit.host) +
    textField(' http.path=', record.path, 'foreign', limit.path) +
    ` http.version=HTTP/1.1 http.status=${record.status}` +
    textField(' jwt.sub=', record.subject, 'foreign', limit.subject) +
    textField(' error=', record.error, 'ours', limit.error) +
    ` duration=${Math.floor(record.durationMs)}ms` +
    textField(' reason=', record.reason, 'foreign', limit.reason) +
    textField(' policy=', record.policy, 'foreign', limit.resource) +
    textField(' rule=', record.rule, 'foreign', limit.rule) +
    textField(' detail=', record.detail, 'ours', limit.detail) +
    textField(' backend=', record.backend, 'foreign', limit.resource) +
    textField(' target=', record.target, 'foreign', limit.target) +
    textField(' mcp.target=', record.mcpTarget, 'foreign', limit.target) +
    textField(' mcp.method.name=', record.mcpMethod, 'foreign', limit.mcpMethod) +
    textField(' gen_ai.tool.name=', record.toolName, 'foreign', limit.toolName) +
    textField(' mcp.session.id=', record.sessionHash, 'ours', limit.sessionHash) +
    '\n'
  );
}

function textField(
  start: string,
  value: string | null,
  origin: ValueOrigin,
  maxLength: number,
): string {
  return value === null ? '' : start + encodeValue(value, origin, maxLength);
}

function jsonLine(record: AccessRecord): string {
  return (
    `{"level":"info","time":"${timestamp(record.endedAtMs)}","scope":"request"` +
    jsonField(',"gateway":', record.gateway, limit.resource) +
    jsonField(',"listener":', record.listener, limit.listener) +
    jsonField(',"route":', record.route, limit.resource) +
    jsonField(',"src.addr":', sourceAddress(record), limit.source) +
    jsonField(',"http.method":', record.method, limit.method) +
    jsonField(',"http.host":', record.host, limit.host) +
    jsonField(',"http.path":', record.path, limit.path) +
    `,"http.version":"HTTP/1.1","http.status":${record.status}` +
    jsonField(',"jwt.sub":', record.subject, limit.subject) +
    jsonField(',"error":', record.error, limit.error) +
    `,"duration":"${Math.floor(record.durationMs)}ms"` +
    jsonField(',"reason":', record.reason, limit.reason) +
    jsonField(',"policy":', record.policy, limit.resource) +
    jsonField(',"rule":', record.rule, limit.rule) +
    jsonField(',"detail":', record.detail, limit.detail) +
    jsonField(',"backend":', record.backend, limit.resource) +
    jsonField(',"target":', record.target, limit.target) +
    jsonField(',"mcp.target":', record.mcpTarget, limit.target) +
    jsonField(',"mcp.method.name":', record.mcpMethod, limit.mcpMethod) +
    jsonField(',"gen_ai.tool.name":', record.toolName, limit.toolName) +
    jsonField(',"mcp.session.id":', record.sessionHash, limit.sessionHash) +
    '}\n'
  );
}

function jsonField(start: string, value: string | null, maxLength: number): string {
  return value === null ? '' : start + encodeString(value, maxLength);
}

/** `address:port`, an IPv6 address in brackets (RFC 3986, 3.2.2); without a port the bare address. */
function sourceAddress({ remoteAddress, remotePort }: AccessRecord): string {
  if (remotePort === null) return remoteAddress;
  return remoteAddress.includes(':')
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress}:${remotePort}`;
}

let knownSecond = Number.NaN;
let knownText = '';

/** RFC 3339 in UTC with microseconds. The date of the running second is remembered. */
export function timestamp(epochMs: EpochMilliseconds): string {
  const second = Math.floor(epochMs / 1000);
  if (second !== knownSecond) {
    knownText = new Date(second * 1000).toISOString().slice(0, 19);
    knownSecond = second;
  }
  const microseconds = Math.floor((epochMs - second * 1000) * 1000);
  return `${knownText}.${microseconds.toString().padStart(6, '0')}Z`;
}
