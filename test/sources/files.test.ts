import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createSourceReader, fileLimits, type SourcesRead } from '../../src/sources/files.ts';

function folder(t: TestContext, files: Readonly<Record<string, string | Buffer>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'postern-files-'));
  t.after(() => rmSync(path, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

async function* stream(
  ...chunks: readonly (string | Uint8Array)[]
): AsyncGenerator<string | Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

function read(paths: readonly string[], ...stdin: string[]): Promise<SourcesRead> {
  return createSourceReader(paths, stream(...stdin)).read();
}

test('a directory is read recursively, by name, for YAML and JSON, without hidden entries', async (t) => {
  const root = folder(t, {
    'b.yml': 'b',
    'a.yaml': 'a',
    'sub/c.json': 'c',
    'sub/deep/d.yaml': 'd',
    'notes.md': 'x',
    '.hidden.yaml': 'x',
    '.git/x.yaml': 'x',
    'start.mjs': 'x',
  });
  const { texts, problems } = await read([root]);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    texts.map(({ file, text }) => [file.slice(root.length + 1), text]),
    [
      ['a.yaml', 'a'],
      ['b.yml', 'b'],
      ['sub/c.json', 'c'],
      ['sub/deep/d.yaml', 'd'],
    ],
  );
});

test('a mounted ConfigMap is read once, through its visible links', async (t) => {
  const root = folder(t, { '..2024_01/a.yaml': 'a', '..2024_01/b.yaml': 'b' });
  symlinkSync('..2024_01', join(root, '..data'));
  symlinkSync('..data/a.yaml', join(root, 'a.yaml'));
  symlinkSync('..data/b.yaml', join(root, 'b.yaml'));
  const { texts, problems } = await read([root]);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    texts.map(({ file, text }) => [file, text]),
    [
      [join(root, 'a.yaml'), 'a'],
      [join(root, 'b.yaml'), 'b'],
    ],
  );
});

test('a file that is reached twice is read once, and links in a circle end', async (t) => {
  const root = folder(t, { 'a.yaml': 'a', 'sub/b.yaml': 'b' });
  symlinkSync('../..', join(root, 'sub/up'));
  symlinkSync(root, join(root, 'sub/loop'));
  symlinkSync('a.yaml', join(root, 'z.yaml'));
  rmSync(join(root, 'sub/up'));
  const { texts, problems } = await read([join(root, 'a.yaml'), root, join(root, 'sub')]);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    texts.map(({ text }) => text),
    ['a', 'b'],
  );
});

test('an explicit file may have any name', async (t) => {
  const root = folder(t, { 'gate.conf': 'x' });
  const { texts } = await read([join(root, 'gate.conf')]);
  assert.equal(texts.length, 1);
});

test('standard input is read once and remembered', async () => {
  const reader = createSourceReader(['-'], stream('kind', Buffer.from(': x')));
  const expected = [{ file: '<stdin>', text: 'kind: x' }];
  assert.deepEqual((await reader.read()).texts, expected);
  assert.deepEqual((await reader.read()).texts, expected);
});

test('a character that is cut between two chunks of standard input is whole again', async () => {
  const bytes = Buffer.from('é');
  const reader = createSourceReader(['-'], stream(bytes.subarray(0, 1), bytes.subarray(1)));
  assert.equal((await reader.read()).texts[0]?.text, 'é');
});

test('what can not be read is reported, everything at once', async (t) => {
  const root = folder(t, {
    'latin1.yaml': Buffer.from([0x61, 0xe9]),
    'utf16.yaml': Buffer.from('\ufeffa: 1', 'utf16le'),
    'big.yaml': '',
    'good.yaml': 'ok',
  });
  truncateSync(join(root, 'big.yaml'), fileLimits.maxFileBytes + 1);
  symlinkSync('nowhere', join(root, 'dangling.yaml'));
  symlinkSync('circle.yaml', join(root, 'circle.yaml'));
  execFileSync('mkfifo', [join(root, 'pipe.yaml')]);
  const missing = join(root, 'missing');
  const { texts, problems } = await read([
    ...[missing, join(root, 'good.yaml', 'x'), join(root, 'pipe.yaml')],
    ...[root, '-'],
  ]);
  assert.deepEqual(
    texts.map(({ text }) => text),
    ['', 'ok'],
  );
  assert.deepEqual(
    problems.map(({ file, line, column, severity, resource, message }) => {
      assert.deepEqual([line, column, severity, resource], [1, 1, 'error', 'file']);
      return `${file.slice(root.length + 1)}: ${message}`;
    }),
    [
      'missing: does not exist',
      'good.yaml/x: does not exist: a part of its path is not a directory',
      'pipe.yaml: must be a file or a directory; use - for standard input',
      'circle.yaml: can not be read: its symbolic links form a loop',
      'dangling.yaml: does not exist',
      `big.yaml: is too large; at most ${fileLimits.maxFileBytes} bytes are read`,
      'latin1.yaml: must be UTF-8 text',
      'utf16.yaml: must be UTF-8 text',
    ],
  );
});

test('standard input that is too long, or fails, is reported', async () => {
  const long = createSourceReader(['-'], stream(...Array<string>(6).fill('x'.repeat(1 << 20))));
  assert.match((await long.read()).problems[0]!.message, /is too large/);
  async function* failing(): AsyncGenerator<string> {
    yield await Promise.resolve('a');
    throw Object.assign(new Error('x'), { code: 'EIO' });
  }
  const broken = createSourceReader(['-'], failing());
  assert.match((await broken.read()).problems[0]!.message, /can not be read: EIO/);
});

test('all files together are bounded', async (t) => {
  const count = fileLimits.maxTotalBytes / fileLimits.maxFileBytes + 1;
  const root = folder(t);
  for (let i = 0; i < count; i += 1) {
    writeFileSync(join(root, `${String(i).padStart(3, '0')}.yaml`), '');
    truncateSync(join(root, `${String(i).padStart(3, '0')}.yaml`), fileLimits.maxFileBytes);
  }
  const { texts, problems } = await read([root]);
  assert.equal(texts.length, count - 1);
  assert.match(problems[0]!.message, /all files together may have at most 67108864 bytes/);
});
