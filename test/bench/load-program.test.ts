import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { inFolder, isInstalled, runProgram } from '../../bench/load/program.ts';

const anywhere = { cores: null };
const node = (script: string, watch?: (pid: number) => string | null) =>
  runProgram(anywhere, process.execPath, ['-e', script], watch);

describe('a program', () => {
  test('that ends well is told by what it printed', async () => {
    assert.equal((await node('console.log("so")')).text, 'so\n');
  });
  test('that ends badly is told by its complaint', async () => {
    await assert.rejects(node('console.error("why");process.exit(3)'), /ended with 3: why/);
    await assert.rejects(node('process.kill(process.pid)'), /ended with SIGTERM/);
  });
  test('that is not there is no crash', async () => {
    await assert.rejects(runProgram(anywhere, 'no-such-program', []), /ENOENT/);
    assert.equal(isInstalled('no-such-program'), false);
    assert.equal(isInstalled(process.execPath), true);
  });
  test('that must not go on is ended, with the reason', async () => {
    const pids = new Set<number>();
    const endless = node('setInterval(() => 0, 1000)', (pid) => {
      pids.add(pid);
      return 'too large';
    });
    await assert.rejects(endless, /was stopped: too large$/);
    const [pid = 0] = pids;
    assert.equal(pids.size, 1);
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });
});

test('a folder is gone when the work is done, and when it failed', async () => {
  let folder = '';
  const work = inFolder((lent) => {
    folder = lent;
    assert.ok(existsSync(lent));
    return Promise.reject(new Error('broken'));
  });
  await assert.rejects(work, /broken/);
  assert.equal(existsSync(folder), false);
});
