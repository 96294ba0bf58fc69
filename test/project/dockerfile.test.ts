/** The image can't be built everywhere the tests run, so its recipe is at least read. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);

interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** The instructions of the Dockerfile, with continued lines joined. */
const instructions: readonly Instruction[] = readFileSync(new URL('Dockerfile', root), 'utf8')
  .replace(/^\s*#.*\n/gm, '')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => {
    const [, name, value] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    assert(name !== undefined && value !== undefined, `not an instruction: ${line}`);
    return { name, value };
  });

const lastStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
const valuesOf = (name: string, from: readonly Instruction[] = instructions) =>
  from.filter((instruction) => instruction.name === name).map(({ value }) => value);

test('every base image has a tag that names its major version', () => {
  const bases = valuesOf('FROM');
  assert(bases.length >= 2);
  for (const base of bases) assert.match(base, /^node:\d+[\w.-]*-slim( AS \w+)?$/);
});

test('the process is not root, and the user is a number', () => {
  assert.match(valuesOf('USER', lastStage).at(-1) ?? '', /^[1-9]\d*(:[1-9]\d*)?$/);
});

test('there is a health check', () => {
  const [check = ''] = valuesOf('HEALTHCHECK', lastStage);
  assert.match(check, /--interval=\S+ .*CMD \[/);
  assert.match(check, /\/healthz\/ready/);
});

test('commands are lists, so that signals reach the process itself', () => {
  for (const name of ['ENTRYPOINT', 'CMD']) {
    const [value = ''] = valuesOf(name, lastStage);
    assert.doesNotThrow(() => JSON.parse(value) as unknown, `${name} ${value}`);
  }
});

test('nothing secret, remote or unnamed is put into the image', () => {
  assert.deepEqual(valuesOf('ADD'), []);
  for (const value of [...valuesOf('ARG'), ...valuesOf('ENV')]) {
    assert.doesNotMatch(value, /token|secret|password|credential|key=/i);
  }
  for (const value of valuesOf('COPY')) {
    assert.doesNotMatch(value, /(^|\s)\.\s/, `COPY ${value} copies everything`);
  }
  for (const value of valuesOf('RUN')) assert.doesNotMatch(value, /curl|wget|sudo|chmod 777/);
});

test('dependencies are those of the lockfile and run no scripts', () => {
  const installs = valuesOf('RUN').filter((value) => /\bnpm (ci|install|i)\b/.test(value));
  assert(installs.length > 0);
  for (const value of installs) assert.match(value, /\bnpm ci --ignore-scripts\b/);
});

test('everything that is copied exists and is let through by .dockerignore', () => {
  const kept = readFileSync(new URL('.dockerignore', root), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copies = valuesOf('COPY').filter((value) => !value.startsWith('--from='));
  for (const copy of copies) {
    for (const source of copy.split(/\s+/).slice(0, -1)) {
      const name = source.replace(/^\.\//, '');
      assert(existsSync(new URL(name, root)), name);
      assert(kept.includes(name), `${name} is ignored`);
    }
  }
});
