/** Which files the `-f` arguments mean, and a fingerprint that changes whenever any of them does. */

import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { BigIntStats } from 'node:fs';
import type { Problem } from '../resources/problem.ts';

/** Means standard input where a path is expected. */
export const stdinPath = '-';

/** Bounds of one listing. */
export const listLimits = Object.freeze({ maxFiles: 10_000, maxEntries: 100_000, maxDepth: 32 });

export interface SourceFile {
  /** As the user wrote it, with what lies below a directory appended. */
  readonly path: string;
  /** With all symbolic links resolved. */
  readonly realPath: string;
}

export interface FileListing {
  /** In the order of the arguments; within a directory by name. None twice. */
  readonly files: readonly SourceFile[];
  /** Directories whose entries matter, symbolic links resolved. */
  readonly directories: readonly string[];
  readonly problems: readonly Problem[];
  /** Equal for two listings exactly when nothing changed: names, link targets, sizes, times of change. */
  readonly fingerprint: string;
}

interface Collected {
  readonly files: Map<string, SourceFile>;
  readonly directories: Set<string>;
  readonly problems: Problem[];
  readonly marks: Set<string>;
  entries: number;
}

const extensions = new Set(['.yaml', '.yml', '.json']);

/**
 * Lists the files behind the paths. A directory is read recursively for `.yaml`, `.yml` and `.json`;
 * entries whose name starts with a dot are passed over, and with them the `..data` and timestamp
 * directories of a mounted ConfigMap, whose visible links lead there. Symbolic links are followed; a file
 * or directory reached twice counts once.
 */
export async function listFiles(paths: readonly string[]): Promise<FileListing> {
  const collected: Collected = {
    files: new Map(),
    directories: new Set(),
    problems: [],
    marks: new Set(),
    entries: 0,
  };
  for (const path of paths) {
    if (path !== stdinPath) await collectArgument(path, collected);
  }
  const { files, directories, problems, marks } = collected;
  return {
    files: [...files.values()],
    directories: [...directories],
    problems,
    fingerprint: [...marks].join('\n'),
  };
}

/** A problem with a file as a whole. */
export function fileProblem(path: string, message: string): Problem {
  const place = { file: path, line: 1, column: 1 };
  return { ...place, severity: 'error', resource: 'file', path: '', message };
}

/** Says in words why a file or directory can't be read. */
export function explainFileError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  switch (code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'can not be read: permission denied';
    case 'ELOOP':
      return 'can not be read: its symbolic links form a loop';
    case 'ENOTDIR':
      return 'does not exist: a part of its path is not a directory';
    default:
      return `can not be read: ${code}`;
  }
}

async function collectArgument(path: string, out: Collected): Promise<void> {
  try {
    out.directories.add(await realpath(dirname(path)));
  } catch {
    // The same error is reported for the path itself.
  }
  try {
    const status = await stat(path, { bigint: true });
    if (status.isDirectory()) await collectDirectory(path, status, 0, out);
    else if (status.isFile()) await collectFile(path, status, out);
    else report(path, 'must be a file or a directory; use - for standard input', out);
  } catch (error) {
    report(path, explainFileError(error), out);
  }
}

async function collectDirectory(
  path: string,
  status: BigIntStats,
  depth: number,
  out: Collected,
): Promise<void> {
  const real = await realpath(path);
  const key = `${String(status.dev)}:${String(status.ino)}`;
  if (out.marks.has(key)) return;
  out.marks.add(key);
  out.directories.add(real);
  if (depth >= listLimits.maxDepth) {
    report(path, `is nested too deeply; at most ${listLimits.maxDepth} levels are read`, out);
    return;
  }
  const names = await readdir(path);
  out.entries += names.length;
  if (out.entries > listLimits.maxEntries) {
    report(path, `has too many entries; at most ${listLimits.maxEntries} are looked at`, out);
    return;
  }
  for (const name of names.sort()) {
    if (name.startsWith('.')) continue;
    await collectEntry(join(path, name), depth, out);
  }
}

async function collectEntry(path: string, depth: number, out: Collected): Promise<void> {
  try {
    const status = await stat(path, { bigint: true });
    if (status.isDirectory()) await collectDirectory(path, status, depth + 1, out);
    else if (status.isFile() && extensions.has(extname(path))) await collectFile(path, status, out);
  } catch (error) {
    // A link that leads nowhere, or an entry removed meanwhile; other files do not concern us.
    if (extensions.has(extname(path))) report(path, explainFileError(error), out);
  }
}

async function collectFile(path: string, status: BigIntStats, out: Collected): Promise<void> {
  const real = await realpath(path);
  if (out.files.has(real)) return;
  if (out.files.size >= listLimits.maxFiles) {
    report(path, `is one file too many; at most ${listLimits.maxFiles} are read`, out);
    return;
  }
  out.files.set(real, { path, realPath: real });
  out.directories.add(dirname(real));
  const { dev, ino, size, mtimeNs, ctimeNs } = status;
  out.marks.add(JSON.stringify([path, real, ...[dev, ino, size, mtimeNs, ctimeNs].map(String)]));
}

function report(path: string, message: string, out: Collected): void {
  if (out.problems.length >= listLimits.maxFiles) return;
  out.problems.push(fileProblem(path, message));
  out.marks.add(JSON.stringify([path, message]));
}
