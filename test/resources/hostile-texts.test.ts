/** Texts that are made to cost much: each is refused, or read, soon, and with few words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadLimits, loadResources } from '../../src/resources/load.ts';
import { formatProblem } from '../../src/resources/problem.ts';

const { maxTextLength } = loadLimits;
const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
const named = (name: string): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`;
const times = (count: number, piece: string): string => piece.repeat(count);
const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
for (let level = 1; level < 30; level += 1) {
  bomb.push(
    `a${level}: &a${level} [${Array(9)
      .fill(`*a${level - 1}`)
      .join()}]`,
  );
}

const rows: readonly [name: string, text: string, refusal: RegExp | null][] = [
  ['aliases that multiply', `${head}data:\n  ${bomb.join('\n  ')}`, /alias/],
  ['an alias of everything', `${head}data: &d\n  a: *d\n`, /part of/],
  ['a merge key', `${head}x: &x {a: b}\ndata:\n  <<: *x\n`, /<</],
  ['many merge keys', `${head}x: &x {a: b}\ndata:\n${times(2000, '  <<: *x\n')}`, /twice|alias/],
  ['lists in lists', `${head}data: ${times(100_000, '[')}`, /deep|nest/i],
  ['mappings in mappings', `${head}data: ${times(100_000, '{a: ')}`, /deep|nest/i],
  ['block lists in block lists', `${head}data:\n${times(100_000, '- ')}`, /deep|nest/i],
  ['explicit keys', `${head}data:\n${times(50_000, '? ')}`, /./],
  ['a scalar beyond the limit', `${head}data: {a: "${times(maxTextLength, 'x')}"}`, /too large/],
  [
    'a scalar at the limit',
    `${head}data: {a: "${times(maxTextLength - 200, 'x')}"}`,
    /must have at most/,
  ],
  ['a block scalar of short lines', `${head}data:\n  a: |\n${times(300_000, '    x\n')}`, null],
  ['documents without end', times(200_000, '---\n'), /too many|at most/],
  ['documents that hold nothing right', times(9000, '---\nx\n'), /must be a mapping/],
  ['the same name over and over', times(5000, `---\n${named('a')}`), /declared twice/],
  ['one key over and over', `${head}data:\n${times(50_000, '  a: b\n')}`, /twice/],
  ['keys that are lists', `${head}data: {[[[1]]]: b}\n`, /field name/],
  ['anchors without end', `${head}data:\n${times(50_000, '  ? &a a\n  : b\n')}`, /./],
  ['tags', `${head}data: !!js/function "x"\n`, /tag/],
  ['a directive', `%YAML 9.9\n---\n${head}`, /./],
  ['comments without end', `${head}${times(500_000, '#\n')}`, /too long/],
  ['white space without end', `${head}${times(1_000_000, '  \n')}`, /too long/],
  ['a line without end', `${head}data: {a: ${times(1_000_000, 'x ')}}`, null],
  ['quotes within quotes', `${head}data: {a: '${times(500_000, "''")}'}`, null],
  ['escapes', `${head}data: {a: "${times(300_000, '\\u0041')}"}`, null],
  ['unclosed quotes', `${head}data: {a: "${times(300_000, 'x\n')}`, /not valid YAML/],
  ['variables without end', `${head}data: {a: "${times(100_000, '${A}')}"}`, null],
  ['a name that is told apart by no eye', named('"a\u200b"'), /must be|may hold/],
  ['a name in another script', named('"\u0430dmin"'), /must be|may hold/],
  ['a name that turns the line around', named('"a\u202ebc"'), /must be|may hold/],
  ['a name of two forms', named('"e\u0301"'), /must be|may hold/],
  ['a name without end', named(times(100_000, 'a')), /must be|at most|longer/],
  ['a name with a line break', named('"a\\nb"'), /must be|may hold/],
];

for (const [name, text, refusal] of rows) {
  test(`${name}: ${refusal === null ? 'read' : 'refused'} soon, in few words`, () => {
    const startedAtMs = performance.now();
    const { resources, problems } = loadResources([{ file: 'f.yaml', text }], {
      environment: { A: 'a' },
    });
    // The worst takes about a second on a quiet machine.
    assert.ok(performance.now() - startedAtMs < 30_000);
    const errors = problems.filter(({ severity }) => severity === 'error').map(formatProblem);
    assert.ok(problems.length <= loadLimits.maxProblems + 1);
    for (const line of errors) assert.match(line, /^f\.yaml:\d+:\d+: [^\n]{1,600}$/);
    if (refusal === null) {
      assert.deepEqual(errors, []);
      assert.equal(resources.all.length, 1);
    } else
      assert.ok(
        errors.some((line) => refusal.test(line)),
        errors.slice(0, 3).join('\n'),
      );
  });
}
