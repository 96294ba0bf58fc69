/** Where the one binary that Postern loads comes from, and that no other one is loaded. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkNativeModule } from '../../src/accept/check-native-module.ts';
import {
  nativeModuleDigests,
  nativeModuleVersion,
  neededGlibc,
} from '../../src/accept/native-module-digests.ts';

const root = new URL('../../', import.meta.url);
const folder = new URL('node_modules/uWebSockets.js/', root);
const binaries = readdirSync(folder).filter((name) => name.endsWith('.node'));
const build = `${process.platform}_${process.arch}_${process.versions.modules}`;

test('every binary of the package is pinned, and nothing else is', () => {
  assert.ok(binaries.length > 50);
  const found = binaries.map((name) => {
    const digest = createHash('sha256').update(readFileSync(new URL(name, folder)));
    return [name.slice('uws_'.length, -'.node'.length), digest.digest('hex')];
  });
  assert.deepEqual(Object.fromEntries(found), nativeModuleDigests);
});

test('the pins are those of the version that package.json demands', () => {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  assert.equal(dependencies['uWebSockets.js'], `npm:uwebsockets@${nativeModuleVersion}`);
});

test('no file of the package is code that runs at its installation', () => {
  const { scripts = {} } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as {
    scripts?: Record<string, string>;
  };
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) {
    assert.equal(scripts[name], undefined);
  }
});

test('the binary of this machine passes at start-up; a changed, an absent and an unknown one do not', (t) => {
  assert.equal(checkNativeModule(), null);
  const copy = mkdtempSync(join(tmpdir(), 'postern-native-'));
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  const file = join(copy, `uws_${build}.node`);
  assert.match(checkNativeModule({ folder: copy }) ?? '', /can not be read; install/);
  cpSync(new URL(`uws_${build}.node`, folder), file);
  assert.equal(checkNativeModule({ folder: copy }), null);
  const octets = readFileSync(file);
  octets[octets.length - 1]! ^= 1;
  writeFileSync(file, octets);
  assert.match(
    checkNativeModule({ folder: copy }) ?? '',
    /is not the one that this version was made with/,
  );
  assert.match(checkNativeModule({ build: 'plan9_mips_1' }) ?? '', /no build for plan9_mips_1/);
  assert.match(checkNativeModule({ build: 'constructor' }) ?? '', /no build for constructor/);
});

test('a package that is not there is named at start-up', (t) => {
  const loader = Module as unknown as { _resolveFilename(...args: unknown[]): string };
  t.mock.method(loader, '_resolveFilename', () => {
    throw new Error('Cannot find module');
  });
  assert.match(checkNativeModule() ?? '', /can not be read; install the packages again/);
});

test('what binaries need of the C library is known where Node.js 20 needs less', () => {
  const found = binaries.flatMap((name) => {
    const symbols = readFileSync(new URL(name, folder)).toString('latin1');
    const minors = [...symbols.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
    const newest = Math.max(0, ...minors);
    return newest > 28 ? [[name.slice('uws_'.length, -'.node'.length), `2.${newest}`]] : [];
  });
  assert.ok(found.length > 0);
  assert.deepEqual(Object.fromEntries(found), neededGlibc);
});

test('a C library that is too old is named at start-up, with what would do', () => {
  const build = 'linux_x64_127';
  assert.match(
    checkNativeModule({ build, glibc: '2.36' }) ?? '',
    /needs glibc 2\.38 .*has 2\.36: use Node\.js 20, or .*Debian 13/,
  );
  assert.match(checkNativeModule({ build, glibc: null }) ?? '', /needs the GNU C library/);
  assert.equal(checkNativeModule({ build, glibc: '2.38' }), null);
  assert.equal(checkNativeModule({ build, glibc: '3.0' }), null);
  assert.equal(checkNativeModule({ build: 'linux_x64_115', glibc: '2.28' }), null);
  assert.equal(checkNativeModule({ build: 'darwin_arm64_127', glibc: null }), null);
});
