import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AccessRecord } from '../../src/record/access-line.ts';
import { createAccessLog } from '../../src/record/access-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-access-log-'));
after(() => rmSync(folder, { recursive: true }));

function record(path: string): AccessRecord {
  return {
    endedAtMs: 0,
    gateway: 'default/gw',
    listener: 'http',
    route: 'default/mcp',
    remoteAddress: '127.0.0.1',
    remotePort: 1,
    method: 'GET',
    host: 'localhost',
    path,
    status: 200,
    subject: null,
    error: null,
    durationMs: 1,
    reason: null,
    policy: null,
    rule: null,
    detail: null,
    backend: null,
    target: null,
    mcpTarget: null,
    mcpMethod: null,
    toolName: null,
    sessionHash: null,
  };
}

/** Opens a named pipe for reading and writing, so that neither end waits for the other. */
function openPipe(name: string): { readonly readFd: number; readonly writeFd: number } {
  const path = join(folder, name);
  execFileSync('mkfifo', [path]);
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  return { readFd, writeFd };
}

test('lines reach a file in order, soon, and all of them at the close', async () => {
  const path = join(folder, 'access.log');
  const log = createAccessLog({ fd: openSync(path, 'a'), format: 'text', flushIntervalMs: 20 });
  log.write(record('/first'));
  assert.equal(readFileSync(path, 'utf8'), '');
  await delay(200);
  assert.match(readFileSync(path, 'utf8'), /http\.path=\/first /);
  for (let index = 0; index < 5000; index += 1) log.write(record(`/${index}`));
  await log.close();
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 5001);
  assert.match(lines[5000] ?? '', /http\.path=\/4999 /);
  assert.equal(log.dropped, 0);
});

test('a pipe gets blocks of whole lines that it takes in one piece', async () => {
  const { readFd, writeFd } = openPipe('blocks');
  const log = createAccessLog({ fd: writeFd, format: 'json', flushIntervalMs: 10 });
  for (let index = 0; index < 100; index += 1) log.write(record(`/${'x'.repeat(index * 4)}`));
  await delay(300);
  const buffer = Buffer.alloc(65_536);
  const length = readSync(readFd, buffer);
  const lines = buffer.toString('ascii', 0, length).trimEnd().split('\n');
  assert.equal(lines.length, 100);
  for (const line of lines) assert.equal((JSON.parse(line) as { scope: string }).scope, 'request');
  await log.close();
  closeSync(readFd);
});

test('a reader that does not read costs lines, not memory or time', async () => {
  const { readFd, writeFd } = openPipe('stuck');
  const log = createAccessLog({
    fd: writeFd,
    format: 'text',
    maxBufferedBytes: 100_000,
    flushIntervalMs: 10,
  });
  const startedAtMs = performance.now();
  for (let index = 0; index < 20_000; index += 1) log.write(record(`/${index}`));
  assert.ok(performance.now() - startedAtMs < 10_000);
  await delay(50);
  assert.ok(log.dropped > 15_000, `${log.dropped}`);
  const closingAtMs = performance.now();
  await log.close(200);
  assert.ok(performance.now() - closingAtMs < 10_000);
  closeSync(readFd);
});

test('a reader that is gone, and a descriptor that was never there, are survived', async () => {
  const { readFd, writeFd } = openPipe('gone');
  closeSync(readFd);
  for (const fd of [writeFd, 9999]) {
    const log = createAccessLog({
      fd,
      format: 'text',
      maxBufferedBytes: 50_000,
      flushIntervalMs: 5,
    });
    for (let round = 0; round < 20; round += 1) {
      for (let index = 0; index < 100; index += 1) log.write(record(`/${index}`));
      await delay(2);
    }
    assert.ok(log.failures > 0);
    assert.ok(log.dropped > 0);
    await log.close(200);
    const before = log.dropped;
    log.write(record('/late'));
    assert.equal(log.dropped, before + 1);
  }
});

test('a full disk is tried again until there is room', async () => {
  // /dev/full answers every write with ENOSPC.
  const log = createAccessLog({
    fd: openSync('/dev/full', 'w'),
    format: 'text',
    maxBufferedBytes: 5000,
    flushIntervalMs: 5,
  });
  for (let index = 0; index < 1000; index += 1) log.write(record(`/${index}`));
  await delay(1300);
  assert.ok(log.failures >= 2, `${log.failures}`);
  await log.close(100);
});
