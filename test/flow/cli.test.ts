import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { posternCli } from '../harness/postern.ts';

const config = fileURLToPath(new URL('../../config/', import.meta.url));
const quickstart = join(config, 'quickstart');
const alice = readFileSync(join(quickstart, 'alice.jwt'), 'utf8').trim();
const packageVersion = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  }
).version;

const folder = mkdtempSync(join(tmpdir(), 'postern-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function postern(
  options: readonly string[],
  extra: { input?: string; env?: Readonly<Record<string, string>> } = {},
) {
  const env = { PATH: process.env.PATH ?? '', ...extra.env };
  const { status, stdout, stderr } = spawnSync(process.execPath, [posternCli, ...options], {
    encoding: 'utf8',
    timeout: 20_000,
    env,
    ...(extra.input === undefined ? {} : { input: extra.input }),
  });
  return { status, stdout, stderr };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

describe('postern version', () => {
  for (const word of ['version', '--version']) {
    test(`${word} prints the version`, () => {
      const { status, stdout } = postern([word]);
      assert.equal(status, 0);
      assert(stdout.includes(packageVersion));
    });
  }
});

describe('postern --help', () => {
  test('lists every command and option with its default and variable', () => {
    const { status, stdout } = postern(['--help']);
    assert.equal(status, 0);
    for (const word of ['run', 'check', 'token', 'version', '--workers', '--drain-timeout']) {
      assert(stdout.includes(word), word);
    }
    assert.match(stdout, /127\.0\.0\.1:15000/);
    assert.match(stdout, /POSTERN_ADMIN_ADDRESS/);
  });
});

describe('postern check', () => {
  test('accepts the quick start and says what it would do', () => {
    const { status, stdout, stderr } = postern(['check', '-f', quickstart]);
    assert.equal(status, 0, stderr);
    for (const word of ['agentgateway', '8080', '/mcp', 'mcp-server-everything', 'jwt']) {
      assert(stdout.includes(word), word);
    }
  });

  for (const name of ['01-open.yaml', '02-jwt.yaml', '03-jwt-rbac.yaml']) {
    test(`accepts config/examples/${name}, also when it is strict`, () => {
      const { status, stderr } = postern([
        'check',
        '--strict',
        '-f',
        join(config, 'examples', name),
      ]);
      assert.equal(status, 0, stderr);
    });
  }

  test('takes values from the environment, and an unset one is an error', () => {
    const path = join(config, 'examples', 'github-https.yaml');
    const set = postern(['check', '-f', path], { env: { GH_PAT: 'secret-of-github' } });
    assert.equal(set.status, 0, set.stderr);
    assert(!(set.stdout + set.stderr).includes('secret-of-github'));
    const unset = postern(['check', '-f', path]);
    assert.equal(unset.status, 1);
    assert.match(unset.stdout + unset.stderr, /github-https\.yaml:\d+:\d+: .*GH_PAT/);
  });

  test('reports every problem at once, with file, line and column', () => {
    const path = file(
      'bad.yaml',
      `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gate}
spec:
  gatewayClassName: agentgateway
  listeners:
    - {name: http, protocol: HTTP, port: 80800}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: mcp}
spec:
  parentRefs: [{name: gate}]
  rules:
    - backendRefs: [{group: gateway.kgateway.dev, kind: Backend, name: absent}]
---
apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: jwt}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gate}]
  rbac:
    policy:
      matchExpressions: ['jwt.sub == ']
`,
    );
    const { status, stdout, stderr } = postern(['check', '-f', path]);
    assert.equal(status, 1);
    const problems = stdout + stderr;
    assert.match(problems, /bad\.yaml:7:\d+: Gateway\/default\/gate: spec\.listeners\[0\]\.port: /);
    assert.match(
      problems,
      /bad\.yaml:15:\d+: HTTPRoute\/default\/mcp: spec\.rules\[0\]\.backendRefs\[0\]/,
    );
    assert.match(
      problems,
      /bad\.yaml:24:\d+: GlooTrafficPolicy\/default\/jwt: spec\.rbac\.policy\./,
    );
  });

  test('warns of an unknown field, and refuses it when it is strict', () => {
    const text = readFileSync(join(config, 'examples', '01-open.yaml'), 'utf8');
    const path = file(
      'typo.yaml',
      text.replace('protocol: HTTP\n', 'protocol: HTTP\n      colour: red\n'),
    );
    const lenient = postern(['check', '-f', path]);
    assert.equal(lenient.status, 0);
    assert.match(lenient.stdout + lenient.stderr, /colour/);
    assert.equal(postern(['check', '--strict', '-f', path]).status, 1);
  });

  test('-o yaml shows the conditions of every resource', () => {
    const { status, stdout } = postern(['check', '-o', 'yaml', '-f', quickstart]);
    assert.equal(status, 0);
    const text = JSON.stringify(parseAllDocuments(stdout));
    for (const word of ['Accepted', 'ResolvedRefs', 'Attached', 'HTTPRoute', 'GlooTrafficPolicy']) {
      assert(text.includes(word), word);
    }
  });

  test('reads standard input, JSON, several files and folders in folders', () => {
    const text = readFileSync(join(config, 'examples', '01-open.yaml'), 'utf8');
    assert.equal(postern(['check', '-f', '-'], { input: text }).status, 0);
    const documents = text.split(/^---$/m);
    documents.forEach((document, index) => {
      file(`tree/${'deeper/'.repeat(index)}${index}.json`, JSON.stringify(parse(document)));
    });
    const tree = postern(['check', '-f', join(folder, 'tree')]);
    assert.equal(tree.status, 0, tree.stdout + tree.stderr);
    const files = ['gateway.yaml', 'mcp-server.yaml', 'policy.yaml'].flatMap((name) => [
      '-f',
      join(quickstart, name),
    ]);
    assert.equal(postern(['check', ...files]).status, 0);
  });

  for (const [name, text] of [
    ['YAML that does not parse', 'kind: ['],
    ['a document that is no object', '- a\n- b\n'],
    ['an unknown kind', 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n'],
    ['a YAML bomb', bomb()],
  ] as const) {
    test(`refuses ${name} with a message`, () => {
      const { status, stdout, stderr } = postern(['check', '-f', file('one.yaml', text)]);
      assert.equal(status, 1);
      assert.match(stdout + stderr, /one\.yaml/);
      assert.doesNotMatch(stdout + stderr, /\n\s+at /, 'a stack trace');
    });
  }

  test('says that a file is not there', () => {
    const { status, stderr, stdout } = postern(['check', '-f', '/does/not/exist.yaml']);
    assert.equal(status, 1);
    assert.match(stdout + stderr, /\/does\/not\/exist\.yaml/);
  });
});

describe('postern token', () => {
  test('says who accepts a token and what it claims', () => {
    const { status, stdout } = postern(['token', alice, '-f', quickstart]);
    assert.equal(status, 0);
    for (const word of ['selfminted', 'solo.io', 'alice', 'dev'])
      assert(stdout.includes(word), word);
  });

  test('says why a token is refused', () => {
    const glued = postern(['token', `${alice}Save`, '-f', quickstart]);
    assert.equal(glued.status, 1);
    assert.match(glued.stdout + glued.stderr, /InvalidSignature|InvalidToken/);
    const garbage = postern(['token', 'abcdefg', '-f', quickstart]);
    assert.equal(garbage.status, 1);
    assert.match(garbage.stdout + garbage.stderr, /InvalidToken/);
  });
});

describe('bad usage', () => {
  for (const [name, options, pattern] of [
    ['no command', [], /run|usage/i],
    ['an unknown command', ['fly'], /fly/],
    ['an unknown option', ['run', '-f', quickstart, '--colour', 'red'], /colour/],
    ['no resources', ['run'], /-f/],
    ['a bad number', ['run', '-f', quickstart, '--workers', 'many'], /--workers.*many/],
    ['a bad duration', ['run', '-f', quickstart, '--drain-timeout', '10'], /--drain-timeout/],
    ['a bad word', ['run', '-f', quickstart, '--log-format', 'xml'], /--log-format.*text, json/],
    ['a bad address', ['run', '-f', quickstart, '--admin-address', 'here'], /--admin-address/],
  ] as const) {
    test(`with ${name} is explained, exit code 1 or 2`, () => {
      const { status, stdout, stderr } = postern(options);
      assert(status === 1 || status === 2, `exit code ${status}`);
      assert.match(stdout + stderr, pattern);
      assert.doesNotMatch(stdout + stderr, /\n\s+at /, 'a stack trace');
    });
  }

  test('in the environment is explained by the name of the variable', () => {
    const { status, stderr, stdout } = postern(['run', '-f', quickstart], {
      env: { POSTERN_WORKERS: 'many' },
    });
    assert(status === 1 || status === 2);
    assert.match(stdout + stderr, /POSTERN_WORKERS/);
  });
});

/** A document whose aliases would grow to ten thousand million items. */
function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 10; level += 1) {
    lines.push(
      `a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`,
    );
  }
  return `${lines.join('\n')}\n`;
}
