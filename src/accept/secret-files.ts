import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Linux: a file without a name, that nobody else can open and that is gone when it is closed. */
const O_TMPFILE = 0o20200000;

/**
 * Lends texts to a native function that wants to read them from files. On Linux no file appears
 * anywhere: each text is kept in an unnamed one in memory and named through this process's descriptor
 * table while `use` runs. Elsewhere a private folder holds them for that time.
 *
 * @param texts by option name
 * @param use gets the paths by the same names; must read them before it returns
 * @returns what `use` returned
 * @throws Error when no folder for unnamed files is there (neither /dev/shm nor the temporary folder)
 */
export function withSecretFiles<Name extends string, Result>(
  texts: Readonly<Record<Name, string>>,
  use: (paths: Record<Name, string>) => Result,
): Result {
  if (process.platform !== 'linux') return withPrivateFolder(texts, use);
  const descriptors: number[] = [];
  try {
    const paths = {} as Record<Name, string>;
    for (const name of Object.keys(texts) as Name[]) {
      const descriptor = openUnnamed();
      descriptors.push(descriptor);
      writeFileSync(descriptor, texts[name]);
      paths[name] = `/proc/self/fd/${descriptor}`;
    }
    return use(paths);
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

function openUnnamed(): number {
  const flags = O_TMPFILE | constants.O_RDWR;
  try {
    return openSync('/dev/shm', flags, 0o600);
  } catch {
    return openSync(tmpdir(), flags, 0o600);
  }
}

function withPrivateFolder<Name extends string, Result>(
  texts: Readonly<Record<Name, string>>,
  use: (paths: Record<Name, string>) => Result,
): Result {
  const folder = mkdtempSync(join(tmpdir(), 'postern-'));
  try {
    const paths = {} as Record<Name, string>;
    for (const name of Object.keys(texts) as Name[]) {
      paths[name] = join(folder, name);
      writeFileSync(paths[name], texts[name], { mode: 0o600 });
    }
    return use(paths);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
