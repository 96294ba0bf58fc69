import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

test('every scenario of the bench gets right answers from Postern', { timeout: 170_000 }, () => {
  const file = fileURLToPath(new URL('../../bench/smoke.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^ok tool: 200 answers, 0 unexpected, 0 errors$/m);
});
