/**
 * The process's options: one table from which the command line, the environment, the help text and the
 * defaults are made. What a resource can say is not an option.
 */

import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import type { Bytes, Milliseconds } from './units.ts';

export interface RunOptions {
  readonly files: readonly string[];
  readonly strict: boolean;
  readonly reload: boolean;
  /** 0 stands for one per CPU. */
  readonly workers: number;
  readonly listenAddress: string;
  readonly admin: SocketAddress;
  readonly metrics: SocketAddress;
  readonly accessLog: 'on' | 'off';
  readonly logFormat: 'text' | 'json';
  readonly logLevel: LogLevel;
  /** `auto`: as the kind of the policy says. */
  readonly authFailureStatus: 'auto' | 401 | 403;
  readonly onDeny: 'hide' | 'unknown' | 'forbidden' | 'tool_error';
  readonly sessionLifetimeMs: Milliseconds;
  readonly tokenExpiryGraceMs: Milliseconds;
  /** 0: none. */
  readonly streamKeepAliveMs: Milliseconds;
  readonly sseStreams: number;
  readonly sseStreamsPerCaller: number;
  readonly sseQueueBytes: Bytes;
  readonly federationTimeoutMs: Milliseconds;
  readonly drainTimeoutMs: Milliseconds;
  readonly maxBodyBytes: Bytes;
  /** 0: no limit. */
  readonly bodyTimeoutMs: Milliseconds;
  /** Of one worker, like all limits on connections, requests and streams; 0: no limit. */
  readonly maxConnections: number;
  readonly maxRequests: number;
  readonly maxRequestsPerAddress: number;
  readonly maxRequestsPerPrincipal: number;
  readonly maxStreamsPerPrincipal: number;
  /** Requests a second; 0: no limit. */
  readonly addressRate: number;
  /** 0: as many as in a second. */
  readonly addressBurst: number;
  /** 0: nothing is refused for it. */
  readonly overloadDelayMs: Milliseconds;
  readonly maxHeaderBytes: Bytes;
  readonly maxHeaderFields: number;
  readonly maxTargetBytes: Bytes;
  readonly upstreamConnections: number;
  readonly connectTimeoutMs: Milliseconds;
  /** 0: no limit. */
  readonly upstreamHeadersTimeoutMs: Milliseconds;
  readonly upstreamIdleTimeoutMs: Milliseconds;
  /** 0: no limit. */
  readonly upstreamConnectionAgeMs: Milliseconds;
  /** 0: never. */
  readonly ejectionFailures: number;
  readonly ejectionTimeMs: Milliseconds;
  readonly maxEjectionTimeMs: Milliseconds;
  readonly tokenCacheEntries: number;
  readonly verifyThreads: number;
  readonly verifyQueue: number;
  readonly keySetDeadlineMs: Milliseconds;
}

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The words of a value in the help text, and how it is read; `read` throws a sentence that says what would do. */
interface Kind<Value> {
  readonly placeholder: string;
  readonly read: (text: string) => Value;
}

interface Option {
  readonly name: string;
  readonly kind: Kind<unknown>;
  readonly fallback: string;
  readonly help: string;
}

class OptionError extends Error {}

const wholeNumber = (minimum: number, maximum: number): Kind<number> => ({
  placeholder: 'N',
  read(text) {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new OptionError(`must be a whole number from ${minimum} to ${maximum}`);
  },
});

const oneOf = <Word extends string>(...words: readonly Word[]): Kind<Word> => ({
  placeholder: words.join('|'),
  read(text) {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    throw new OptionError(`must be one of ${words.join(', ')}`);
  },
});

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const duration = (minimumMs: Milliseconds, maximumMs: Milliseconds): Kind<Milliseconds> => ({
  placeholder: 'DURATION',
  read(text) {
    const [, amount, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
    const ms = text === '0' ? 0 : Number(amount) * (UNITS[unit] ?? Number.NaN);
    if (ms >= minimumMs && ms <= maximumMs) return ms;
    throw new OptionError(
      `must be a duration such as 500ms, 10s or 5m, ${minimumMs} to ${maximumMs} ms`,
    );
  },
});

const SIZES: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1_048_576 };

const size = (minimum: Bytes, maximum: Bytes): Kind<Bytes> => ({
  placeholder: 'SIZE',
  read(text) {
    const [, amount, unit = ''] = /^(\d{1,12})(KiB|MiB)?$/.exec(text) ?? [];
    const bytes = Number(amount) * (SIZES[unit] ?? Number.NaN);
    if (bytes >= minimum && bytes <= maximum) return bytes;
    throw new OptionError(`must be octets such as 65536, 64KiB or 4MiB, ${minimum} to ${maximum}`);
  },
});

const workerCount: Kind<number> = {
  placeholder: 'N|auto',
  read: (text) => (text === 'auto' ? 0 : wholeNumber(1, 256).read(text)),
};

const address: Kind<string> = {
  placeholder: 'ADDRESS',
  read(text) {
    if (isIP(text) !== 0 && !text.includes('%')) return text;
    throw new OptionError('must be an IP address such as 127.0.0.1 or ::');
  },
};

const socketAddress: Kind<SocketAddress> = {
  placeholder: 'ADDRESS:PORT',
  read(text) {
    const [, bracketed, plain, port] =
      /^(?:\[([0-9a-fA-F:]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text) ?? [];
    const host = bracketed ?? plain;
    if (host !== undefined && isIP(host) !== 0 && Number(port) <= 65_535) {
      return { host, port: Number(port) };
    }
    throw new OptionError('must be an address and a port such as 127.0.0.1:15000 or [::1]:15000');
  },
};

const HOUR_MS = 3_600_000;
/** The native server holds no more, and leaves a request that has more without an answer. */
const MAX_NATIVE_FIELDS = 98;

// prettier-ignore
const table = {
  workers: { kind: workerCount, fallback: '1', help: 'worker processes; auto: one for each CPU' },
  'listen-address': { kind: address, fallback: '0.0.0.0', help: 'where Gateways without spec.addresses listen' },
  'admin-address': { kind: socketAddress, fallback: '127.0.0.1:15000', help: 'alive and ready, yes or no, for whoever can connect; configuration, status and the reasons for whoever has POSTERN_ADMIN_TOKEN, and where there is none for this machine alone, if the address is a loopback address' },
  'metrics-address': { kind: socketAddress, fallback: '127.0.0.1:15020', help: 'Prometheus metrics, without a token' },
  'access-log': { kind: oneOf('on', 'off'), fallback: 'on', help: 'one line for each request on standard output' },
  'log-format': { kind: oneOf('text', 'json'), fallback: 'text', help: 'access log (standard output) and process log (standard error)' },
  'log-level': { kind: oneOf('debug', 'info', 'warn', 'error'), fallback: 'info', help: 'of the process log' },
  'auth-failure-status': { kind: oneOf('auto', '401', '403'), fallback: 'auto', help: 'for a missing or bad token; auto: 403 for GlooTrafficPolicy and TrafficPolicy, 401 for AgentgatewayPolicy kinds' },
  'on-deny': { kind: oneOf('hide', 'unknown', 'forbidden', 'tool_error'), fallback: 'hide', help: 'how an MCP request that a policy denies is answered: by the upstream as it answers for what it does not have, by the gate as if the object did not exist, with 403, or with a tool result that says so' },
  'session-lifetime': { kind: duration(60_000, 8760 * HOUR_MS), fallback: '168h', help: 'how long the session id that a client holds is good for; in use it is renewed' },
  'token-expiry-grace': { kind: duration(0, HOUR_MS), fallback: '5s', help: 'how long an open stream may outlast its token' },
  'stream-keep-alive': { kind: duration(0, 24 * HOUR_MS), fallback: '15s', help: 'silence after which an event stream gets a comment, so that nothing on the way to the client takes it for dead; 0: never' },
  'sse-streams': { kind: wholeNumber(0, 1_000_000), fallback: '4096', help: 'HTTP+SSE streams open at one worker (503 above); 0: none' },
  'sse-streams-per-caller': { kind: wholeNumber(1, 1_000_000), fallback: '64', help: 'HTTP+SSE streams of one authenticated caller at one worker (429 above)' },
  'sse-queue': { kind: size(65_536, 1024 * 1_048_576), fallback: '16MiB', help: 'what may wait for one HTTP+SSE client that reads slowly (its stream is cut above)' },
  'federation-timeout': { kind: duration(100, HOUR_MS), fallback: '30s', help: 'how long each target of a backend with several may take for its part of a list or of initialize' },
  'drain-timeout': { kind: duration(0, 24 * HOUR_MS), fallback: '30s', help: 'how long requests and streams may go on after SIGTERM; 0: not at all' },
  'max-connections': { kind: wholeNumber(0, 10_000_000), fallback: '65536', help: 'open client connections of one worker (a new one is closed at once above); 0: no limit' },
  'max-requests': { kind: wholeNumber(0, 10_000_000), fallback: '32768', help: 'requests in flight in one worker, running streams included (503 above); 0: no limit' },
  'max-requests-per-address': { kind: wholeNumber(0, 10_000_000), fallback: '0', help: 'requests in flight in one worker from one client address, of IPv6 from one /64 (429 above); 0: no limit, since all clients behind a load balancer have one address' },
  'max-requests-per-principal': { kind: wholeNumber(0, 10_000_000), fallback: '4096', help: 'requests in flight in one worker of one issuer and subject (429 above); 0: no limit' },
  'max-streams-per-principal': { kind: wholeNumber(0, 10_000_000), fallback: '1024', help: 'event streams that one issuer and subject may hold open in one worker by GET or subscriptions/listen (429 above); 0: no limit' },
  'address-rate': { kind: wholeNumber(0, 1_000_000), fallback: '0', help: 'requests a second from one client address, of IPv6 from one /64, to one worker, counted before any token is looked at (429 above); 0: no limit' },
  'address-burst': { kind: wholeNumber(0, 1_000_000), fallback: '0', help: 'requests that may come at once under address-rate; 0: as many as in a second' },
  'overload-delay': { kind: duration(0, 60_000), fallback: '500ms', help: 'smoothed delay of the event loop from which requests without a token are refused (503) on routes that look for one, from twice that also tokens that are new and requests of routes without authentication, from four times every request; 0: nothing is refused' },
  'max-body': { kind: size(0, 1024 * 1_048_576), fallback: '4MiB', help: 'largest request body (413 above)' },
  'body-timeout': { kind: duration(0, HOUR_MS), fallback: '60s', help: 'how long a request body may take, however steadily it trickles (408 above); 0: no limit' },
  'max-headers': { kind: size(4096, 1_048_576), fallback: '64KiB', help: 'largest request head (431 above)' },
  'max-header-fields': { kind: wholeNumber(8, MAX_NATIVE_FIELDS), fallback: '90', help: 'header fields of one request (431 above)' },
  'max-target': { kind: size(64, 1_048_576), fallback: '16KiB', help: 'longest path and query (414 above)' },
  'upstream-connections': { kind: wholeNumber(1, 1_000_000), fallback: '16384', help: 'connections to one target from one worker, one request each (503 above)' },
  'connect-timeout': { kind: duration(1, HOUR_MS), fallback: '10s', help: 'name resolution, TCP and TLS to a target together' },
  'upstream-headers-timeout': { kind: duration(0, 24 * HOUR_MS), fallback: '1h', help: 'until the head of an answer, where the route sets no timeout; 0: no limit' },
  'upstream-idle-timeout': { kind: duration(1, HOUR_MS), fallback: '4s', help: 'how long an unused connection to a target is kept' },
  'upstream-connection-age': { kind: duration(0, 24 * HOUR_MS), fallback: '1m', help: 'how long a connection to a target that has a name takes new requests, so that a name that has moved is followed under steady traffic too; 0: no limit' },
  'ejection-failures': { kind: wholeNumber(0, 1_000_000), fallback: '5', help: 'failures in a row (no connection, cut, timeout, 502, 503, 504) after which one of several endpoints of a Service is left alone for a while; 0: never' },
  'ejection-time': { kind: duration(1, HOUR_MS), fallback: '10s', help: 'how long at first; doubled each time it fails again before it has answered well' },
  'max-ejection-time': { kind: duration(1, 24 * HOUR_MS), fallback: '5m', help: 'how long at most' },
  'token-cache': { kind: wholeNumber(1, 10_000_000), fallback: '50000', help: 'verified tokens remembered by one worker for one policy' },
  'verify-threads': { kind: wholeNumber(1, 64), fallback: '1', help: 'threads of one worker that check signatures of new tokens' },
  'verify-queue': { kind: wholeNumber(1, 1_000_000), fallback: '1024', help: 'new tokens of one worker that wait for a thread (503 above)' },
  'key-set-deadline': { kind: duration(0, HOUR_MS), fallback: '5s', help: 'how long listeners wait at start for remote key sets with fastListener: false' },
} as const satisfies Record<string, Omit<Option, 'name'>>;

export type ParsedOptions =
  | {
      readonly ok: true;
      readonly options: RunOptions;
      readonly positionals: readonly string[];
      readonly output: string | null;
    }
  | { readonly ok: false; readonly problems: readonly string[] };

type Flags = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/**
 * Reads options: the command line first, then `POSTERN_*` variables, then defaults.
 *
 * @param argv what follows the command's name
 * @param environment by variable name
 * @returns the options, or every problem as a sentence that says what would be right
 */
export function parseOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ParsedOptions {
  let flags: Flags;
  let positionals: readonly string[];
  try {
    ({ values: flags, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        file: { type: 'string', short: 'f', multiple: true },
        output: { type: 'string', short: 'o' },
        strict: { type: 'boolean' },
        'no-reload': { type: 'boolean' },
        ...Object.fromEntries(
          Object.keys(table).map((name) => [name, { type: 'string' as const }]),
        ),
      },
    }));
  } catch (error) {
    return { ok: false, problems: [error instanceof Error ? error.message : String(error)] };
  }

  const problems: string[] = [];
  function value<Value>(name: keyof typeof table, kind: Kind<Value>): Value {
    const variable = variableName(name);
    const given = flags[name];
    const [text, origin] =
      typeof given === 'string'
        ? [given, `--${name}`]
        : [environment[variable] ?? table[name].fallback, variable];
    try {
      return kind.read(text);
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      problems.push(`${origin} ${error.message}; is ${JSON.stringify(text)}`);
      return kind.read(table[name].fallback);
    }
  }
  const has = (name: string): boolean => {
    const text = environment[variableName(name)];
    if (text !== undefined && text !== 'true' && text !== 'false') {
      problems.push(`${variableName(name)} must be true or false; is ${JSON.stringify(text)}`);
    }
    return flags[name] === true || text === 'true';
  };
  const files = Array.isArray(flags.file) ? flags.file.map(String) : [];
  const filesFromEnvironment = environment.POSTERN_FILE?.split(',').filter((path) => path !== '');
  const status = value('auth-failure-status', table['auth-failure-status'].kind);

  const options: RunOptions = {
    files: files.length > 0 ? files : (filesFromEnvironment ?? []),
    strict: has('strict'),
    reload: !has('no-reload'),
    workers: value('workers', table.workers.kind),
    listenAddress: value('listen-address', table['listen-address'].kind),
    admin: value('admin-address', table['admin-address'].kind),
    metrics: value('metrics-address', table['metrics-address'].kind),
    accessLog: value('access-log', table['access-log'].kind),
    logFormat: value('log-format', table['log-format'].kind),
    logLevel: value('log-level', table['log-level'].kind),
    authFailureStatus: status === 'auto' ? 'auto' : status === '401' ? 401 : 403,
    onDeny: value('on-deny', table['on-deny'].kind),
    sessionLifetimeMs: value('session-lifetime', table['session-lifetime'].kind),
    tokenExpiryGraceMs: value('token-expiry-grace', table['token-expiry-grace'].kind),
    streamKeepAliveMs: value('stream-keep-alive', table['stream-keep-alive'].kind),
    sseStreams: value('sse-streams', table['sse-streams'].kind),
    sseStreamsPerCaller: value('sse-streams-per-caller', table['sse-streams-per-caller'].kind),
    sseQueueBytes: value('sse-queue', table['sse-queue'].kind),
    federationTimeoutMs: value('federation-timeout', table['federation-timeout'].kind),
    drainTimeoutMs: value('drain-timeout', table['drain-timeout'].kind),
    maxBodyBytes: value('max-body', table['max-body'].kind),
    bodyTimeoutMs: value('body-timeout', table['body-timeout'].kind),
    maxConnections: value('max-connections', table['max-connections'].kind),
    maxRequests: value('max-requests', table['max-requests'].kind),
    maxRequestsPerAddress: value(
      'max-requests-per-address',
      table['max-requests-per-address'].kind,
    ),
    maxRequestsPerPrincipal: value(
      'max-requests-per-principal',
      table['max-requests-per-principal'].kind,
    ),
    maxStreamsPerPrincipal: value(
      'max-streams-per-principal',
      table['max-streams-per-principal'].kind,
    ),
    addressRate: value('address-rate', table['address-rate'].kind),
    addressBurst: value('address-burst', table['address-burst'].kind),
    overloadDelayMs: value('overload-delay', table['overload-delay'].kind),
    maxHeaderBytes: value('max-headers', table['max-headers'].kind),
    maxHeaderFields: value('max-header-fields', table['max-header-fields'].kind),
    maxTargetBytes: value('max-target', table['max-target'].kind),
    upstreamConnections: value('upstream-connections', table['upstream-connections'].kind),
    connectTimeoutMs: value('connect-timeout', table['connect-timeout'].kind),
    upstreamHeadersTimeoutMs: value(
      'upstream-headers-timeout',
      table['upstream-headers-timeout'].kind,
    ),
    upstreamIdleTimeoutMs: value('upstream-idle-timeout', table['upstream-idle-timeout'].kind),
    upstreamConnectionAgeMs: value(
      'upstream-connection-age',
      table['upstream-connection-age'].kind,
    ),
    ejectionFailures: value('ejection-failures', table['ejection-failures'].kind),
    ejectionTimeMs: value('ejection-time', table['ejection-time'].kind),
    maxEjectionTimeMs: value('max-ejection-time', table['max-ejection-time'].kind),
    tokenCacheEntries: value('token-cache', table['token-cache'].kind),
    verifyThreads: value('verify-threads', table['verify-threads'].kind),
    verifyQueue: value('verify-queue', table['verify-queue'].kind),
    keySetDeadlineMs: value('key-set-deadline', table['key-set-deadline'].kind),
  };
  if (problems.length > 0) return { ok: false, problems };
  const output = typeof flags.output === 'string' ? flags.output : null;
  return { ok: true, options, positionals, output };
}

function variableName(option: string): string {
  return `POSTERN_${option.toUpperCase().replaceAll('-', '_')}`;
}

/** One option of `postern run`, for the help text and the README. */
export interface OptionRow {
  readonly flag: string;
  readonly variable: string;
  readonly fallback: string;
  readonly help: string;
}

/** The options of `postern run` that take a value, in the order of the help text. */
export function optionRows(): readonly OptionRow[] {
  return Object.entries<Omit<Option, 'name'>>(table).map(([name, { kind, fallback, help }]) => ({
    flag: `--${name} ${kind.placeholder}`,
    variable: variableName(name),
    fallback,
    help,
  }));
}
