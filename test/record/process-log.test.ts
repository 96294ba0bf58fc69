import assert from 'node:assert/strict';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createProcessLog } from '../../src/record/process-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-process-log-'));
after(() => rmSync(folder, { recursive: true }));

const forged = 'a\n2026-11-22T21:50:00.123456Z\terror\tforged';

test('the text form is one line of ASCII for each message', async () => {
  const path = join(folder, 'text.log');
  const log = createProcessLog({ format: 'text', level: 'info', fd: openSync(path, 'a') });
  log.debug('not shown');
  log.info({ port: 8080, name: forged }, 'listening');
  log.warn(forged);
  log.error({ err: new Error('broken') }, 'exception in a stage');
  await delay(100);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 3);
  const [first = '', second = '', third = ''] = lines;
  assert.match(
    first,
    /^\d{4}-\d\d-\d\dT[\d:.]+Z\tinfo\tlistening port=8080 name="a\\u000a2026[^\n]*"$/,
  );
  assert.match(second, /\twarn\t"a\\u000a2026/);
  assert.match(third, /\terror\texception in a stage err="\{.*broken/);
});

test('the JSON form is one object a line, in ASCII', async () => {
  const path = join(folder, 'json.log');
  const log = createProcessLog({ format: 'json', level: 'debug', fd: openSync(path, 'a') });
  log.debug({ name: 'é\u2028' }, forged);
  await delay(100);
  const text = readFileSync(path, 'utf8');
  assert.match(text, /^[ -~]*\n$/);
  const entry = JSON.parse(text) as Record<string, unknown>;
  assert.equal(entry.level, 'debug');
  assert.equal(entry.message, forged);
  assert.equal(entry.name, 'é\u2028');
  assert.equal(entry.scope, 'process');
});

test('a fatal message is written before the call returns', () => {
  const path = join(folder, 'fatal.log');
  const log = createProcessLog({ format: 'text', level: 'error', fd: openSync(path, 'a') });
  log.fatal('first');
  log.fatal('second');
  assert.match(readFileSync(path, 'utf8'), /second/);
});

test('a destination that is gone is survived', async () => {
  const log = createProcessLog({ format: 'text', level: 'error', fd: 9999 });
  log.error('nobody reads this');
  log.fatal('nor this');
  await delay(50);
});
