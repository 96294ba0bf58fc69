/** One line of the access log: what is in it, in which order, and how it is written. */

import type { EpochMilliseconds, Milliseconds } from '../units.ts';
import { encodeString, textField } from './encode-value.ts';
import { FieldTriple } from './field-triple.ts';

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
 * @param memory of lines that are much like this one; makes the text form cheaper, and changes nothing of it
 * @returns printable ASCII, at most {@link maxLineBytes}
 */
export function accessLine(
  record: AccessRecord,
  format: LogFormat,
  memory: LineMemory = createLineMemory(),
): string {
  return format === 'text' ? textLine(record, memory) : jsonLine(record);
}

function textLine(record: AccessRecord, memory: LineMemory): string {
  const { detail, error, mcpMethod, policy, reason, rule, sessionHash, subject, toolName } = record;
  // A sum with nothing to add is not free, and most requests are refused by nobody.
  const isRefused = reason !== null || policy !== null || rule !== null || detail !== null;
  return (
    timestamp(record.endedAtMs) +
    memory.place.write(record.gateway, record.listener, record.route) +
    textSource(record) +
    memory.http.write(record.method, record.host, record.path) +
    `${record.status}` +
    textField(' jwt.sub=', subject, 'foreign', limit.subject) +
    textField(' error=', error, 'ours', limit.error) +
    ` duration=${Math.floor(record.durationMs)}ms` +
    (isRefused ? textRefusal(record) : '') +
    memory.upstream.write(record.backend, record.target, record.mcpTarget) +
    textField(' mcp.method.name=', mcpMethod, 'foreign', limit.mcpMethod) +
    textField(' gen_ai.tool.name=', toolName, 'foreign', limit.toolName) +
    textField(' mcp.session.id=', sessionHash, 'ours', limit.sessionHash) +
    '\n'
  );
}

function textRefusal({ reason, policy, rule, detail }: AccessRecord): string {
  return (
    textField(' reason=', reason, 'foreign', limit.reason) +
    textField(' policy=', policy, 'foreign', limit.resource) +
    textField(' rule=', rule, 'foreign', limit.rule) +
    textField(' detail=', detail, 'ours', limit.detail)
  );
}

let knownAddress = '';
let knownSource = '';

/** Connections come and go, addresses stay: the field up to the port is remembered for the last one. */
function textSource(record: AccessRecord): string {
  const { remoteAddress: address, remotePort: port } = record;
  if (port !== null && address === knownAddress) return `${knownSource}${port}`;
  const field = textField(' src.addr=', sourceAddress(record), 'foreign', limit.source);
  // In quotes, or cut, it does not end in the port.
  if (port !== null && address.length < limit.source / 2 && field.endsWith(`:${port}`)) {
    knownAddress = address;
    knownSource = field.slice(0, -String(port).length);
  }
  return field;
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

/**
 * Fields as they were written last, of requests that took the same way: what is equal is not written again, which is
 * a third of the time of a line (`bench/micro/record/access-line.ts`).
 */
export interface LineMemory {
  readonly place: FieldTriple;
  readonly http: FieldTriple;
  readonly upstream: FieldTriple;
}

/** Makes an empty memory; one for each backend of each route is enough. */
export function createLineMemory(): LineMemory {
  const field = (start: string, most: number) => ({ start, limit: most });
  return {
    place: new FieldTriple(
      '\tinfo\trequest',
      [
        field(' gateway=', limit.resource),
        field(' listener=', limit.listener),
        field(' route=', limit.resource),
      ],
      '',
    ),
    http: new FieldTriple(
      '',
      [
        field(' http.method=', limit.method),
        field(' http.host=', limit.host),
        field(' http.path=', limit.path),
      ],
      ' http.version=HTTP/1.1 http.status=',
    ),
    upstream: new FieldTriple(
      '',
      [
        field(' backend=', limit.resource),
        field(' target=', limit.target),
        field(' mcp.target=', limit.target),
      ],
      '',
    ),
  };
}

/** Three digits by what they say: numbers are slower to write. */
const threeDigits = Array.from({ length: 1000 }, (_, value) => String(value).padStart(3, '0'));

let knownMillisecond = Number.NaN;
let knownText = '';

/** RFC 3339 in UTC with microseconds. What stands before them is remembered for as long as it is true. */
export function timestamp(epochMs: EpochMilliseconds): string {
  const millisecond = Math.floor(epochMs);
  if (millisecond !== knownMillisecond) {
    knownText = new Date(millisecond).toISOString().slice(0, 23);
    knownMillisecond = millisecond;
  }
  return `${knownText}${threeDigits[Math.floor((epochMs - millisecond) * 1000)] ?? '000'}Z`;
}
