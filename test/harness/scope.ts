/**
 * Who cleans up. Everything the harness starts is given a scope and ends with it: a test's own context
 * (`test('...', async (t) => { await startPostern(t, ...) })`), or {@link fileScope} for what all tests of
 * a file share.
 */
import { after } from 'node:test';
import type { ChildProcess } from 'node:child_process';

export interface Scope {
  after(callback: () => void | Promise<void>): void;
}

const fileEnd: (() => void | Promise<void>)[] = [];

/** Ends after the last test of the file. */
export const fileScope: Scope = { after: (callback) => fileEnd.push(callback) };

// Registered here, at the top level: called in a hook, after() would belong to whatever runs just then.
after(async () => {
  for (const callback of fileEnd.reverse()) await callback();
});

const children = new Set<ChildProcess>();

// A test process that crashes runs no hooks; what it started must not outlive it.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Makes sure that a child process never outlives the scope, nor this process. */
export function endWithScope(scope: Scope, child: ChildProcess): void {
  children.add(child);
  child.once('exit', () => children.delete(child));
  scope.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  });
}
