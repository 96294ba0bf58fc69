import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSourceReader } from '../../src/sources/files.ts';
import { watchSources, type WatchOptions } from '../../src/sources/watch.ts';

interface Watched {
  readonly root: string;
  changes(): number;
  /** Waits until there were as many changes, and gives how long it took. */
  until(count: number): Promise<number>;
}

async function startWatching(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: WatchOptions = {},
  below = '',
): Promise<Watched> {
  const root = mkdtempSync(join(tmpdir(), 'postern-watch-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  let count = 0;
  const watch = watchSources([join(root, below)], () => (count += 1), options);
  t.after(() => {
    watch.close();
    rmSync(root, { recursive: true, force: true });
  });
  await sleep(100);
  return {
    root,
    changes: () => count,
    async until(expected) {
      const startedAt = performance.now();
      while (count < expected) {
        assert.ok(performance.now() - startedAt < 5000, `saw ${count} of ${expected} changes`);
        await sleep(5);
      }
      return performance.now() - startedAt;
    },
  };
}

const events: WatchOptions = { quietMs: 30, pollMs: 60_000 };
const polling: WatchOptions = { quietMs: 60_000, pollMs: 100 };

const changes: readonly (readonly [string, (root: string) => void])[] = [
  ['an edit', (root) => writeFileSync(join(root, 'a.yaml'), 'changed')],
  ['an edit of the same length', (root) => writeFileSync(join(root, 'a.yaml'), 'b')],
  ['a new file', (root) => writeFileSync(join(root, 'new.yaml'), 'x')],
  ['a removed file', (root) => rmSync(join(root, 'a.yaml'))],
  [
    'a new directory with a file',
    (root) => {
      mkdirSync(join(root, 'other'));
      writeFileSync(join(root, 'other/x.yaml'), 'x');
    },
  ],
  ['an edit in a directory below', (root) => writeFileSync(join(root, 'sub/b.yaml'), 'changed')],
  [
    'a file renamed over another',
    (root) => {
      writeFileSync(join(root, '.tmp'), 'x');
      renameSync(join(root, '.tmp'), join(root, 'a.yaml'));
    },
  ],
];

for (const [name, change] of changes) {
  test(`${name} is noticed by its event`, async (t) => {
    const watched = await startWatching(t, { 'a.yaml': 'a', 'sub/b.yaml': 'b' }, events);
    change(watched.root);
    assert.ok((await watched.until(1)) < 2000);
  });
  test(`${name} is noticed by the poll when no event comes`, async (t) => {
    const watched = await startWatching(t, { 'a.yaml': 'a', 'sub/b.yaml': 'b' }, polling);
    change(watched.root);
    await watched.until(1);
  });
}

test('the symlink swap of a mounted ConfigMap is one change, again and again', async (t) => {
  const watched = await startWatching(t, {}, events);
  const { root } = watched;
  const publish = (version: number): void => {
    mkdirSync(join(root, `..v${version}`));
    writeFileSync(join(root, `..v${version}`, 'a.yaml'), String(version));
    symlinkSync(`..v${version}`, join(root, '..data_tmp'));
    renameSync(join(root, '..data_tmp'), join(root, '..data'));
    rmSync(join(root, `..v${version - 1}`), { recursive: true, force: true });
  };
  publish(1);
  symlinkSync('..data/a.yaml', join(root, 'a.yaml'));
  await watched.until(1);
  await sleep(200);
  for (const version of [2, 3, 4]) {
    const before = watched.changes();
    publish(version);
    await watched.until(before + 1);
    await sleep(150);
    assert.equal(watched.changes(), before + 1);
    const { texts } = await createSourceReader([root], process.stdin).read();
    assert.deepEqual(texts, [{ file: join(root, 'a.yaml'), text: String(version) }]);
  }
});

test('a directory that is deleted and comes back is followed', async (t) => {
  const watched = await startWatching(t, { 'conf/a.yaml': 'a' }, events, 'conf');
  rmSync(join(watched.root, 'conf'), { recursive: true });
  await watched.until(1);
  mkdirSync(join(watched.root, 'conf'));
  writeFileSync(join(watched.root, 'conf/a.yaml'), 'a');
  await watched.until(2);
  await sleep(200);
  const before = watched.changes();
  writeFileSync(join(watched.root, 'conf/a.yaml'), 'again');
  await watched.until(before + 1);
});

test('a directory that is replaced by another at one stroke is followed', async (t) => {
  const watched = await startWatching(
    t,
    { 'conf/a.yaml': 'a', 'next/a.yaml': 'b' },
    { quietMs: 300, pollMs: 60_000 },
    'conf',
  );
  renameSync(join(watched.root, 'conf'), join(watched.root, 'old'));
  renameSync(join(watched.root, 'next'), join(watched.root, 'conf'));
  await watched.until(1);
  await sleep(400);
  const before = watched.changes();
  writeFileSync(join(watched.root, 'conf/a.yaml'), 'again');
  await watched.until(before + 1);
});

test('a single file that is renamed over is followed', async (t) => {
  const watched = await startWatching(t, { 'a.yaml': 'a' }, events, 'a.yaml');
  for (let i = 1; i <= 3; i += 1) {
    writeFileSync(join(watched.root, 'tmp'), String(i));
    renameSync(join(watched.root, 'tmp'), join(watched.root, 'a.yaml'));
    await watched.until(i);
    await sleep(100);
  }
});

test('many edits in a burst are few changes', async (t) => {
  const watched = await startWatching(t, { 'a.yaml': 'a' }, { quietMs: 100, pollMs: 60_000 });
  for (let i = 0; i < 30; i += 1) {
    writeFileSync(join(watched.root, 'a.yaml'), String(i));
    await sleep(5);
  }
  await watched.until(1);
  await sleep(300);
  assert.ok(watched.changes() <= 2, String(watched.changes()));
});

test('steady edits do not put the notice off for ever', async (t) => {
  const watched = await startWatching(t, { 'a.yaml': 'a' }, { quietMs: 100, pollMs: 400 });
  const startedAt = performance.now();
  while (watched.changes() === 0 && performance.now() - startedAt < 3000) {
    writeFileSync(join(watched.root, 'a.yaml'), String(performance.now()));
    await sleep(10);
  }
  assert.ok(watched.changes() > 0);
});

test('what does not concern the resources is no change', async (t) => {
  const watched = await startWatching(t, { 'a.yaml': 'a' }, { quietMs: 20, pollMs: 50 });
  writeFileSync(join(watched.root, 'notes.txt'), 'x');
  writeFileSync(join(watched.root, '.swp'), 'x');
  await sleep(300);
  assert.equal(watched.changes(), 0);
});

test('a change between the reading and the watching is noticed', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'postern-watch-'));
  writeFileSync(join(root, 'a.yaml'), 'a');
  const { fingerprint } = await createSourceReader([root], process.stdin).read();
  writeFileSync(join(root, 'a.yaml'), 'b');
  utimesSync(join(root, 'a.yaml'), 0, 0);
  let notice: () => void = () => undefined;
  const noticed = new Promise<void>((resolve) => (notice = resolve));
  const watch = watchSources([root], () => notice(), { since: fingerprint });
  t.after(() => {
    watch.close();
    rmSync(root, { recursive: true });
  });
  await noticed;
});

test('after close nothing is noticed', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'postern-watch-'));
  t.after(() => rmSync(root, { recursive: true }));
  let count = 0;
  const watch = watchSources([root], () => (count += 1), { quietMs: 10, pollMs: 20 });
  await sleep(50);
  watch.close();
  writeFileSync(join(root, 'a.yaml'), 'a');
  await sleep(150);
  assert.equal(count, 0);
});
