/** Notices that the files behind the `-f` arguments changed. */

import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Milliseconds } from '../units.ts';
import { listFiles, type FileListing } from './list-files.ts';

export interface WatchOptions {
  /** The fingerprint of the last reading: changes since then count. Default: changes from now on. */
  readonly since?: string;
  /** How long nothing may have happened before a change is looked at. */
  readonly quietMs?: Milliseconds;
  /** How often the files are looked at without being told; a change is never missed for longer. */
  readonly pollMs?: Milliseconds;
}

export interface SourceWatch {
  /** Stops watching; `onChange` is not called any more. */
  close(): void;
}

interface WatchedDirectory {
  readonly watcher: FSWatcher;
  /** Device and inode: a directory that was replaced must be watched anew. */
  readonly identity: string;
}

const maxWatchedDirectories = 1024;

/**
 * Calls `onChange` after any of the files was edited, created, deleted, renamed over, or reached through
 * another symbolic link (a mounted ConfigMap's `..data`). The caller then reads everything again.
 *
 * The operating system's events only make it quick. What counts is the fingerprint of listFiles, which is
 * also compared at every poll; so nothing is lost where events are, and an event without a change is no
 * change.
 */
export function watchSources(
  paths: readonly string[],
  onChange: () => void,
  { since, quietMs = 100, pollMs = 1500 }: WatchOptions = {},
): SourceWatch {
  const watched = new Map<string, WatchedDirectory>();
  let last = since;
  let closed = false;
  let looking = false;
  let lookAgain = false;
  let quietTimer: NodeJS.Timeout | null = null;
  let firstEventAt = 0;

  const look = async (): Promise<void> => {
    if (closed) return;
    lookAgain = looking;
    if (looking) return;
    looking = true;
    try {
      const listing = await listFiles(paths);
      await followDirectories(listing);
      if (isClosed()) return;
      const changed = last !== undefined && last !== listing.fingerprint;
      last = listing.fingerprint;
      if (changed) onChange();
    } finally {
      looking = false;
      if (lookAgain) onEvent();
    }
  };
  const isClosed = (): boolean => closed;

  const onEvent = (): void => {
    if (closed) return;
    const now = performance.now();
    if (quietTimer === null) firstEventAt = now;
    else clearTimeout(quietTimer);
    // Steady events must not put the look off for ever.
    const waitMs = Math.max(0, Math.min(quietMs, firstEventAt + pollMs - now));
    quietTimer = setTimeout(() => {
      quietTimer = null;
      void look();
    }, waitMs);
    quietTimer.unref();
  };

  const followDirectories = async ({ directories }: FileListing): Promise<void> => {
    const current = new Map<string, string>();
    for (const path of directories.slice(0, maxWatchedDirectories)) {
      const status = await stat(path).catch(() => null);
      if (status !== null) current.set(path, `${String(status.dev)}:${String(status.ino)}`);
    }
    for (const [path, { watcher, identity }] of watched) {
      if (current.get(path) === identity) continue;
      watcher.close();
      watched.delete(path);
    }
    if (closed) return;
    for (const [path, identity] of current) {
      if (!watched.has(path)) startWatching(path, identity);
    }
  };

  const startWatching = (path: string, identity: string): void => {
    try {
      const watcher = watch(path, { persistent: false }, onEvent);
      watcher.on('error', () => {
        watcher.close();
        watched.delete(path);
        onEvent();
      });
      watched.set(path, { watcher, identity });
    } catch {
      // Out of inotify watches, or gone meanwhile: the poll sees to it.
    }
  };

  const poll = setInterval(() => {
    if (quietTimer === null) void look();
  }, pollMs);
  poll.unref();
  void look();

  return {
    close() {
      closed = true;
      clearInterval(poll);
      if (quietTimer !== null) clearTimeout(quietTimer);
      for (const { watcher } of watched.values()) watcher.close();
      watched.clear();
    },
  };
}
