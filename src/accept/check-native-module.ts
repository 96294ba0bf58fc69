import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { nativeModuleDigests } from './native-module-digests.ts';

/** Which binary the native server's package would load in this process. */
const ownBuild = `${process.platform}_${process.arch}_${process.versions.modules}`;

/**
 * Makes sure that the binary that workers are about to load is the one that was reviewed. Costs one read of
 * a file of 7 MB, once at start; the module itself is not loaded.
 *
 * @param folder of the package; default: the one that `import` finds
 * @param build operating system, processor and ABI, such as `linux_x64_115`; default: this process's
 * @returns what is wrong, in one line, or `null`
 */
export function checkNativeModule(folder?: string, build = ownBuild): string | null {
  const file = `uws_${build}.node`;
  const pinned = Object.hasOwn(nativeModuleDigests, build) ? nativeModuleDigests[build] : undefined;
  if (pinned === undefined) {
    return `the native server has no build for ${build}; use Node 20, 22 or 24 on Linux (glibc), macOS or Windows`;
  }
  try {
    const digest = createHash('sha256').update(readFileSync(join(folder ?? ownFolder(), file)));
    if (digest.digest('hex') === pinned) return null;
  } catch {
    return `the native server's ${file} can not be read; install the packages again with npm ci`;
  }
  return `the native server's ${file} is not the one that this version was made with; install the packages again with npm ci`;
}

function ownFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('uWebSockets.js/package.json'));
}
