import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isJsonObject } from '../json/read-json.ts';
import { nativeModuleDigests, neededGlibc } from './native-module-digests.ts';

/** Which binary the native server's package would load in this process. */
const ownBuild = `${process.platform}_${process.arch}_${process.versions.modules}`;

/** What of this check's subject can be another one in tests. */
export interface NativeModulePlace {
  /** Of the package; default: the one that `import` finds. */
  readonly folder?: string;
  /** Operating system, processor and ABI, such as `linux_x64_115`; default: this process's. */
  readonly build?: string;
  /** Version of the GNU C library that the process runs with, `null` for another library; default: what Node says. */
  readonly glibc?: string | null;
}

/**
 * Makes sure that the binary that workers are about to load is the one that was reviewed, and that it can be loaded
 * here. Costs one read of a file of 7 MB and one report of Node's (8 ms), once at start; the module itself is not
 * loaded.
 *
 * @returns what is wrong, in one line, or `null`
 */
export function checkNativeModule(place: NativeModulePlace = {}): string | null {
  const { build = ownBuild } = place;
  const file = `uws_${build}.node`;
  const pinned = Object.hasOwn(nativeModuleDigests, build) ? nativeModuleDigests[build] : undefined;
  if (pinned === undefined) {
    return `the native server has no build for ${build}; use Node 20, 22 or 24 on Linux (glibc), macOS or Windows`;
  }
  const lacking = build.startsWith('linux_') ? checkGlibc(build, place) : null;
  if (lacking !== null) return lacking;
  try {
    const folder = place.folder ?? ownFolder();
    const digest = createHash('sha256').update(readFileSync(join(folder, file)));
    if (digest.digest('hex') === pinned) return null;
  } catch {
    return `the native server's ${file} can not be read; install the packages again with npm ci`;
  }
  return `the native server's ${file} is not the one that this version was made with; install the packages again with npm ci`;
}

/** Without this every worker would die of it at once, and its successors too. */
function checkGlibc(build: string, { glibc = ownGlibc() }: NativeModulePlace): string | null {
  if (glibc === null) {
    return 'the native server needs the GNU C library (glibc), which this system does not have; Alpine Linux has none';
  }
  const needed = neededGlibc[build];
  if (needed === undefined || compareVersions(glibc, needed) >= 0) return null;
  return (
    `the native server needs glibc ${needed} with Node.js ${process.versions.node}, and this system has ${glibc}: ` +
    `use Node.js 20, or a system with a newer one (Debian 13, Ubuntu 24.04)`
  );
}

function ownGlibc(): string | null {
  const report: unknown = process.report.getReport();
  if (!isJsonObject(report) || !isJsonObject(report.header)) return null;
  const { glibcVersionRuntime: version } = report.header;
  return typeof version === 'string' ? version : null;
}

function compareVersions(one: string, other: string): number {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major - otherMajor || minor - otherMinor;
}

function ownFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('uWebSockets.js/package.json'));
}
