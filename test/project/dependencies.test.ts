/** What `npm ci` installs is said exactly, checked by its digest, and runs no code of its own. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), 'utf8'));

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly scripts?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}
interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}
interface Lockfile {
  readonly lockfileVersion: number;
  readonly packages: Record<string, Locked & Manifest>;
}

/** Packages with a script that runs at installation, each with the reason why it is not needed. */
const INSTALL_SCRIPTS: Readonly<Record<string, string>> = {
  'node_modules/esbuild': 'of tsx: only replaces its launcher by the binary that it finds anyway',
  'node_modules/@modelcontextprotocol/inspector': 'a peer of tests: its command line needs no more',
};

for (const folder of ['', 'test/peers/', 'bench/peers/']) {
  const name = folder === '' ? 'the project' : folder;
  const manifest = read(`${folder}package.json`) as Manifest;
  const lock = read(`${folder}package-lock.json`) as Lockfile;
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies };

  test(`${name}: every version is exact`, () => {
    for (const [dependency, version] of Object.entries(wanted)) {
      assert.match(version, /^(npm:[\w@/.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/, dependency);
    }
  });

  test(`${name}: the lockfile is in step`, () => {
    assert.equal(lock.lockfileVersion, 3);
    const locked = lock.packages[''];
    assert.deepEqual(locked?.dependencies ?? {}, manifest.dependencies ?? {});
    assert.deepEqual(locked?.devDependencies ?? {}, manifest.devDependencies ?? {});
    for (const [dependency, version] of Object.entries(wanted)) {
      const entry = lock.packages[`node_modules/${dependency}`];
      assert.equal(entry?.version, version.slice(version.lastIndexOf('@') + 1), dependency);
    }
  });

  test(`${name}: every package has a digest, and none comes from elsewhere than the registry`, () => {
    const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
    assert.ok(packages.length > 10);
    for (const [path, { integrity, resolved, link }] of packages) {
      assert.match(integrity ?? '', /^sha512-[A-Za-z0-9+/]{86}==$/, path);
      assert.doesNotMatch(resolved ?? '', /^(git|file|http:)/, path);
      assert.notEqual(link, true, path);
    }
  });

  test(`${name}: no package needs a script at its installation`, () => {
    for (const [path, { hasInstallScript, dev }] of Object.entries(lock.packages)) {
      if (hasInstallScript !== true) continue;
      assert.ok(Object.hasOwn(INSTALL_SCRIPTS, path), `${path} has an install script`);
      assert.ok(dev === true || folder !== '', `${path} is no development dependency`);
    }
  });
}

test('the project itself runs nothing at its installation', () => {
  const { scripts = {} } = read('package.json') as Manifest;
  for (const hook of ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']) {
    assert.equal(scripts[hook], undefined);
  }
});
