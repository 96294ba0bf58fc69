import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { withSecretFiles } from '../../src/accept/secret-files.ts';

const onLinux = { skip: process.platform !== 'linux' };
const listing = (): string[] =>
  [tmpdir(), '/dev/shm'].flatMap((folder) => readdirSync(folder).map((name) => folder + name));

test('lent texts can be read, more than once and in full', () => {
  const large = 'x'.repeat(1_000_000);
  const read = withSecretFiles({ cert: 'one', key: large }, (paths) => ({
    cert: readFileSync(paths.cert, 'utf8') + readFileSync(paths.cert, 'utf8'),
    key: readFileSync(paths.key, 'utf8'),
  }));
  assert.deepEqual(read, { cert: 'oneone', key: large });
});

test('no file with a name appears anywhere', onLinux, () => {
  const before = listing();
  withSecretFiles({ key: 'secret' }, ({ key }) => {
    assert.match(key, /^\/proc\/self\/fd\/\d+$/);
    const added = listing().filter((path) => !before.includes(path) && path.includes('postern'));
    assert.deepEqual(added, []);
  });
});

test('nothing is left open, also where the borrower throws', () => {
  let path = '';
  assert.throws(
    () =>
      withSecretFiles({ key: 'secret' }, ({ key }) => {
        path = key;
        throw new Error('not usable');
      }),
    /not usable/,
  );
  assert.equal(existsSync(path), false);
});
