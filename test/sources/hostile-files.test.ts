/** What may lie in a configuration folder, or turn up in it while it is read: a message, never a hang. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { createSourceReader, type SourcesRead } from '../../src/sources/files.ts';

const isLinux = process.platform === 'linux';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'postern-hostile-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function read(...paths: string[]): Promise<SourcesRead> {
  return createSourceReader(paths, Readable.from([])).read();
}

test('pipes, sockets and devices in a folder are no resources and are not waited for', async (t) => {
  const root = folder(t);
  writeFileSync(join(root, 'good.yaml'), 'good');
  execFileSync('mkfifo', [join(root, 'pipe.yaml')]);
  symlinkSync('/dev/zero', join(root, 'zero.yaml'));
  symlinkSync('/dev/tty', join(root, 'terminal.yaml'));
  symlinkSync('/proc/self/mem', join(root, 'memory.yaml'));
  const server = createServer().listen(join(root, 'socket.yaml'));
  t.after(() => server.close());
  const { texts, problems } = await read(root);
  const good = texts.filter(({ text }) => text === 'good');
  assert.equal(good.length, 1);
  // Whatever else was taken for a file is empty or is reported.
  for (const { file, text } of texts) assert.ok(text === 'good' || text === '', file);
  for (const { message } of problems) assert.match(message, /can not be read|must be/);
  for (const path of ['pipe.yaml', 'socket.yaml', 'zero.yaml']) {
    const named = await read(join(root, path));
    assert.match(named.problems[0]?.message ?? '', /must be a file or a directory/, path);
  }
});

test(
  'a file that becomes a pipe between the look and the reading holds nobody up',
  { skip: !isLinux && 'needs mkfifo' },
  async (t) => {
    const root = folder(t);
    const file = join(root, 'a.yaml');
    writeFileSync(file, 'text');
    const pipes = Array.from({ length: 120 }, (_, index) => join(root, `pipe-${index}`));
    execFileSync('mkfifo', pipes);
    const state = { swapping: true };
    const swap = (async () => {
      for (let round = 0; state.swapping; round = (round + 1) % pipes.length) {
        const pipe = pipes[round];
        if (pipe === undefined) break;
        renameSync(pipe, file);
        await new Promise((resolve) => setImmediate(resolve));
        renameSync(file, pipe);
        writeFileSync(`${file}.new`, 'text');
        renameSync(`${file}.new`, file);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    let pipesMet = 0;
    for (let round = 0; round < 300; round += 1) {
      const { texts, problems } = await read(file);
      for (const { text } of texts) assert.equal(text, 'text');
      for (const { message } of problems) assert.match(message, /must be a file|does not exist/);
      pipesMet += problems.length;
    }
    state.swapping = false;
    await swap;
    t.diagnostic(`${pipesMet} times it was no file`);
  },
);

test('files that grow, shrink and go while they are read give whole texts or messages', async (t) => {
  const root = folder(t);
  const names = Array.from({ length: 20 }, (_, index) => join(root, `${index}.yaml`));
  const long = `${'x'.repeat(100_000)}END`;
  const state = { changing: true };
  const change = (async () => {
    for (let round = 0; state.changing; round += 1) {
      const name = names[round % names.length] ?? '';
      if (round % 3 === 0) writeFileSync(name, long);
      else if (round % 3 === 1) rmSync(name, { force: true });
      else {
        writeFileSync(name, long);
        truncateSync(name, 10);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let round = 0; round < 60; round += 1) {
    const { texts, problems } = await read(root);
    for (const { text } of texts) assert.ok(text.length <= long.length);
    for (const { message } of problems) assert.match(message, /does not exist|can not be read/);
  }
  state.changing = false;
  await change;
});

test('folders that lead into each other, and very deep ones, come to an end', async (t) => {
  const root = folder(t);
  mkdirSync(join(root, 'a'));
  mkdirSync(join(root, 'b'));
  symlinkSync('../b', join(root, 'a/b'));
  symlinkSync('../a', join(root, 'b/a'));
  for (let index = 0; index < 30; index += 1) symlinkSync('.', join(root, `self-${index}`));
  const deep = join(root, ...Array<string>(60).fill('d'));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, 'x.yaml'), 'x');
  writeFileSync(join(root, 'good.yaml'), 'good');
  const { texts, problems } = await read(root);
  assert.deepEqual(
    texts.map(({ text }) => text),
    ['good'],
  );
  assert.ok(problems.length >= 1 && problems.length < 10);
});

test(
  'a file and a folder that may not be read are reported',
  { skip: process.getuid?.() === 0 && 'root may read everything' },
  async (t) => {
    const root = folder(t);
    writeFileSync(join(root, 'a.yaml'), 'x');
    mkdirSync(join(root, 'closed'));
    chmodSync(join(root, 'a.yaml'), 0);
    chmodSync(join(root, 'closed'), 0);
    const { texts, problems } = await read(root);
    assert.deepEqual(texts, []);
    assert.equal(problems.length, 2);
    for (const { message } of problems) assert.match(message, /can not be read/);
  },
);
