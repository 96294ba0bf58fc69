import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { optionRows, parseOptions, type RunOptions } from '../src/options.ts';

function parsed(argv: readonly string[], environment: Record<string, string> = {}): RunOptions {
  const result = parseOptions(argv, environment);
  assert.ok(result.ok, result.ok ? '' : result.problems.join('\n'));
  return result.options;
}

function problems(argv: readonly string[], environment: Record<string, string> = {}) {
  const result = parseOptions(argv, environment);
  assert.ok(!result.ok, 'was accepted');
  return result.problems;
}

const MIB = 1_048_576;
const defaults: RunOptions = {
  files: [],
  strict: false,
  reload: true,
  workers: 1,
  listenAddress: '0.0.0.0',
  admin: { host: '127.0.0.1', port: 15_000 },
  metrics: { host: '127.0.0.1', port: 15_020 },
  accessLog: 'on',
  logFormat: 'text',
  logLevel: 'info',
  authFailureStatus: 'auto',
  onDeny: 'hide',
  sessionLifetimeMs: 604_800_000,
  tokenExpiryGraceMs: 5_000,
  streamKeepAliveMs: 15_000,
  sseStreams: 4096,
  sseStreamsPerCaller: 64,
  sseQueueBytes: 16 * MIB,
  federationTimeoutMs: 30_000,
  drainTimeoutMs: 30_000,
  maxConnections: 65_536,
  maxRequests: 32_768,
  maxRequestsPerAddress: 0,
  maxRequestsPerPrincipal: 4096,
  maxStreamsPerPrincipal: 1024,
  addressRate: 0,
  addressBurst: 0,
  overloadDelayMs: 500,
  maxBodyBytes: 4 * MIB,
  bodyTimeoutMs: 60_000,
  maxHeaderBytes: 65_536,
  maxHeaderFields: 90,
  maxTargetBytes: 16_384,
  upstreamConnections: 16_384,
  connectTimeoutMs: 10_000,
  upstreamHeadersTimeoutMs: 3_600_000,
  upstreamIdleTimeoutMs: 4000,
  upstreamConnectionAgeMs: 60_000,
  ejectionFailures: 5,
  ejectionTimeMs: 10_000,
  maxEjectionTimeMs: 300_000,
  tokenCacheEntries: 50_000,
  verifyThreads: 1,
  verifyQueue: 1024,
  keySetDeadlineMs: 5000,
};

test('without anything the defaults hold', () => assert.deepEqual(parsed([]), defaults));

/** For each option: what may be given and what it is then, and what may not. */
const table: readonly {
  readonly name: string;
  readonly field: keyof RunOptions;
  readonly good: readonly (readonly [text: string, value: unknown])[];
  readonly bad: readonly string[];
}[] = [
  { name: 'workers', field: 'workers', good: [['1', 1], ['256', 256], ['auto', 0]], bad: ['0', '257', '1.5', '-1', 'Auto', ''] },
  { name: 'listen-address', field: 'listenAddress', good: [['127.0.0.1', '127.0.0.1'], ['::', '::'], ['fd00::1', 'fd00::1']], bad: ['localhost', '1.2.3', '999.1.1.1', ':::', '127.0.0.1:80', '[::1]', 'fe80::1%eth0', ''] },
  { name: 'admin-address', field: 'admin', good: [['0.0.0.0:1', { host: '0.0.0.0', port: 1 }], ['[::1]:0', { host: '::1', port: 0 }]], bad: ['127.0.0.1', '127.0.0.1:65536', '::1:80', 'localhost:80', '1.2.3:80', ':80', '[1.2.3.4]:80', '127.0.0.1:'] },
  { name: 'metrics-address', field: 'metrics', good: [['127.0.0.2:65535', { host: '127.0.0.2', port: 65_535 }]], bad: ['15020', '300.0.0.1:80'] },
  { name: 'access-log', field: 'accessLog', good: [['on', 'on'], ['off', 'off']], bad: ['ON', 'true', ''] },
  { name: 'log-format', field: 'logFormat', good: [['text', 'text'], ['json', 'json']], bad: ['JSON', ''] },
  { name: 'log-level', field: 'logLevel', good: [['debug', 'debug'], ['info', 'info'], ['warn', 'warn'], ['error', 'error']], bad: ['trace'] },
  { name: 'auth-failure-status', field: 'authFailureStatus', good: [['auto', 'auto'], ['401', 401], ['403', 403]], bad: ['200', '404'] },
  { name: 'on-deny', field: 'onDeny', good: [['hide', 'hide'], ['forbidden', 'forbidden'], ['tool_error', 'tool_error']], bad: ['Hide', 'deny', ''] },
  { name: 'session-lifetime', field: 'sessionLifetimeMs', good: [['1m', 60_000], ['24h', 86_400_000]], bad: ['0', '59s', '9000h', ''] },
  { name: 'token-expiry-grace', field: 'tokenExpiryGraceMs', good: [['0', 0], ['1h', 3_600_000]], bad: ['61m', '-1s'] },
  { name: 'stream-keep-alive', field: 'streamKeepAliveMs', good: [['0', 0], ['24h', 86_400_000]], bad: ['25h', 'never'] },
  { name: 'sse-streams', field: 'sseStreams', good: [['0', 0], ['1000000', 1_000_000]], bad: ['-1', '1000001', ''] },
  { name: 'sse-streams-per-caller', field: 'sseStreamsPerCaller', good: [['1', 1]], bad: ['0', '1000001', ''] },
  { name: 'sse-queue', field: 'sseQueueBytes', good: [['64KiB', 65_536], ['1024MiB', 1024 * MIB]], bad: ['1KiB', '1025MiB', ''] },
  { name: 'federation-timeout', field: 'federationTimeoutMs', good: [['100ms', 100], ['1h', 3_600_000]], bad: ['0', '99ms', '2h', ''] },
  { name: 'drain-timeout', field: 'drainTimeoutMs', good: [['0', 0], ['500ms', 500], ['10s', 10_000], ['5m', 300_000], ['24h', 86_400_000]], bad: ['25h', '10', '1.5s', '-1s', '1d', 's', ''] },
  { name: 'max-connections', field: 'maxConnections', good: [['0', 0], ['7', 7]], bad: ['-1', '1.5', '10000001', ''] },
  { name: 'max-requests', field: 'maxRequests', good: [['0', 0], ['7', 7]], bad: ['-1', '1.5', '10000001', ''] },
  { name: 'max-requests-per-address', field: 'maxRequestsPerAddress', good: [['0', 0], ['7', 7]], bad: ['-1', '1.5', '10000001', ''] },
  { name: 'max-requests-per-principal', field: 'maxRequestsPerPrincipal', good: [['0', 0], ['7', 7]], bad: ['-1', '1.5', '10000001', ''] },
  { name: 'max-streams-per-principal', field: 'maxStreamsPerPrincipal', good: [['0', 0], ['7', 7]], bad: ['-1', '1.5', '10000001', ''] },
  { name: 'address-rate', field: 'addressRate', good: [['0', 0], ['100', 100]], bad: ['-1', '0.5', '1000001', ''] },
  { name: 'address-burst', field: 'addressBurst', good: [['0', 0], ['100', 100]], bad: ['-1', '0.5', '1000001', ''] },
  { name: 'overload-delay', field: 'overloadDelayMs', good: [['0', 0], ['200ms', 200]], bad: ['200', '61s', '-1s', ''] },
  { name: 'max-body', field: 'maxBodyBytes', good: [['0', 0], ['1000', 1000], ['64KiB', 65_536], ['1024MiB', 1024 * MIB]], bad: ['1025MiB', '1GB', '4MB', '-1', '1e3'] },
  { name: 'body-timeout', field: 'bodyTimeoutMs', good: [['0', 0], ['30s', 30_000]], bad: ['2h', '30', ''] },
  { name: 'max-headers', field: 'maxHeaderBytes', good: [['4096', 4096], ['1MiB', MIB]], bad: ['4095', '2MiB'] },
  { name: 'max-header-fields', field: 'maxHeaderFields', good: [['8', 8], ['98', 98]], bad: ['7', '99'] },
  { name: 'max-target', field: 'maxTargetBytes', good: [['64', 64], ['64KiB', 65_536]], bad: ['63', '2MiB'] },
  { name: 'upstream-connections', field: 'upstreamConnections', good: [['1', 1], ['1000000', 1_000_000]], bad: ['0', '1000001'] },
  { name: 'connect-timeout', field: 'connectTimeoutMs', good: [['1ms', 1], ['1h', 3_600_000]], bad: ['0', '0s', '2h'] },
  { name: 'upstream-headers-timeout', field: 'upstreamHeadersTimeoutMs', good: [['0', 0], ['24h', 86_400_000]], bad: ['25h'] },
  { name: 'upstream-idle-timeout', field: 'upstreamIdleTimeoutMs', good: [['1ms', 1], ['1h', 3_600_000]], bad: ['0', '61m'] },
  { name: 'upstream-connection-age', field: 'upstreamConnectionAgeMs', good: [['0', 0], ['24h', 86_400_000]], bad: ['25h', 'x'] },
  { name: 'ejection-failures', field: 'ejectionFailures', good: [['0', 0], ['3', 3]], bad: ['-1', 'five', ''] },
  { name: 'ejection-time', field: 'ejectionTimeMs', good: [['1s', 1000]], bad: ['0', '10', '2h'] },
  { name: 'max-ejection-time', field: 'maxEjectionTimeMs', good: [['1m', 60_000]], bad: ['0', '10', '48h'] },
  { name: 'token-cache', field: 'tokenCacheEntries', good: [['1', 1], ['10000000', 10_000_000]], bad: ['0', '10000001'] },
  { name: 'verify-threads', field: 'verifyThreads', good: [['1', 1], ['64', 64]], bad: ['0', '65', 'auto'] },
  { name: 'verify-queue', field: 'verifyQueue', good: [['1', 1], ['1000000', 1_000_000]], bad: ['0'] },
  { name: 'key-set-deadline', field: 'keySetDeadlineMs', good: [['0', 0], ['1h', 3_600_000]], bad: ['2h', 'soon'] },
]; // prettier-ignore

const variableOf = (name: string): string => `POSTERN_${name.toUpperCase().replaceAll('-', '_')}`;

for (const { name, field, good, bad } of table) {
  describe(`--${name}`, () => {
    for (const [text, value] of good) {
      test(`may be ${text}, as flag and as variable, and changes nothing else`, () => {
        assert.deepEqual(parsed([`--${name}=${text}`]), { ...defaults, [field]: value });
        assert.deepEqual(parsed([], { [variableOf(name)]: text }), { ...defaults, [field]: value });
      });
    }
    for (const text of bad) {
      test(`may not be ${JSON.stringify(text)}`, () => {
        const [flag = '', ...more] = problems([`--${name}=${text}`]);
        assert.deepEqual(more, []);
        assert.ok(flag.startsWith(`--${name} must be `), flag);
        assert.ok(flag.endsWith(`; is ${JSON.stringify(text)}`), flag);
        const [variable = ''] = problems([], { [variableOf(name)]: text });
        assert.equal(variable, flag.replace(`--${name}`, variableOf(name)));
      });
    }
  });
}

test('every option of the help text is in the table above', () => {
  assert.deepEqual(
    optionRows().map(({ flag, variable }) => [flag.split(' ')[0], variable]),
    table.map(({ name }) => [`--${name}`, variableOf(name)]),
  );
  for (const { fallback, variable, help } of optionRows()) {
    assert.deepEqual(parsed([], { [variable]: fallback }), defaults);
    assert.ok(help.length > 0);
  }
});

test('a flag goes before its variable, and the last of two flags counts', () => {
  const environment = { POSTERN_WORKERS: '3', POSTERN_LOG_LEVEL: 'warn' };
  const options = parsed(['--workers', '2', '--workers=4'], environment);
  assert.equal(options.workers, 4);
  assert.equal(options.logLevel, 'warn');
});

test('a bad variable does not matter where a flag replaces it', () => {
  assert.equal(parsed(['--workers=2'], { POSTERN_WORKERS: 'many' }).workers, 2);
});

test('all bad values are reported at once', () => {
  const found = problems(['--workers=x', '--max-body=y', '--admin-address=z'], {
    POSTERN_LOG_LEVEL: 'loud',
    POSTERN_STRICT: 'perhaps',
  });
  assert.equal(found.length, 5);
  for (const name of [
    '--workers',
    '--max-body',
    '--admin-address',
    'POSTERN_LOG_LEVEL',
    'POSTERN_STRICT',
  ]) {
    assert.ok(
      found.some((problem) => problem.startsWith(`${name} `)),
      name,
    );
  }
});

describe('files', () => {
  test('come from flags in their order, also standard input', () => {
    assert.deepEqual(parsed(['-f', 'a', '--file', 'b', '-f', '-', '--file=c']).files, [
      'a',
      'b',
      '-',
      'c',
    ]);
  });
  test('come from the variable where no flag names one', () => {
    const environment = { POSTERN_FILE: 'a,,b' };
    assert.deepEqual(parsed([], environment).files, ['a', 'b']);
    assert.deepEqual(parsed(['-f', 'c'], environment).files, ['c']);
  });
});

describe('switches', () => {
  const rows: readonly [
    argv: string[],
    environment: Record<string, string>,
    strict: boolean,
    reload: boolean,
  ][] = [
    [['--strict'], {}, true, true],
    [['--no-reload'], {}, false, false],
    [[], { POSTERN_STRICT: 'true', POSTERN_NO_RELOAD: 'true' }, true, false],
    [[], { POSTERN_STRICT: 'false', POSTERN_NO_RELOAD: 'false' }, false, true],
    [['--strict'], { POSTERN_STRICT: 'false' }, true, true],
  ];
  for (const [argv, environment, strict, reload] of rows) {
    test(`${JSON.stringify(argv)} with ${JSON.stringify(environment)}`, () => {
      const options = parsed(argv, environment);
      assert.deepEqual([options.strict, options.reload], [strict, reload]);
    });
  }
  for (const text of ['1', 'yes', 'TRUE', '']) {
    test(`POSTERN_STRICT=${text} is refused rather than taken for false`, () => {
      assert.deepEqual(problems([], { POSTERN_STRICT: text }), [
        `POSTERN_STRICT must be true or false; is ${JSON.stringify(text)}`,
      ]);
    });
  }
});

describe('the command line', () => {
  for (const argv of [['--unknown'], ['-x'], ['-f'], ['--workers'], ['--strict=yes']]) {
    test(`${argv.join(' ')} is refused in one sentence`, () => {
      const [problem = '', ...more] = problems(argv);
      assert.deepEqual(more, []);
      assert.match(problem, new RegExp((argv[0] ?? '').split('=')[0] ?? ''));
    });
  }
  test('what is not an option is handed on, and -o is read', () => {
    const result = parseOptions(['TOKEN', '-o', 'yaml', '-f', 'a'], {});
    assert.ok(result.ok);
    assert.deepEqual(result.positionals, ['TOKEN']);
    assert.equal(result.output, 'yaml');
  });
});

test('whatever the texts are, the answer is options or sentences', () => {
  const argument = fc.oneof(
    fc.string(),
    fc
      .tuple(fc.constantFrom(...table.map(({ name }) => name)), fc.string())
      .map(([name, text]) => `--${name}=${text}`),
  );
  const environment = fc.dictionary(
    fc.constantFrom(...table.map(({ name }) => variableOf(name)), 'POSTERN_FILE', 'POSTERN_STRICT'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 4 }), environment, (argv, variables) => {
      const result = parseOptions(argv, variables);
      if (!result.ok) assert.ok(result.problems.length > 0);
    }),
    { numRuns: 1000 },
  );
});
