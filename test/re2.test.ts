import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRegularExpression, compileRegularExpression, maxPatternLength } from '../src/re2.ts';
import type { RegularExpression } from '../src/re2.ts';

function compiled(pattern: string): RegularExpression {
  const result = compileRegularExpression(pattern);
  if ('problem' in result) assert.fail(result.problem);
  return result;
}

test('a pattern matches the whole text or a part of it', () => {
  const rows: [pattern: string, text: string, whole: boolean, part: boolean][] = [
    ['/v[0-9]+', '/v12', true, true],
    ['/v[0-9]+', '/v12/x', false, true],
    ['a|ab', 'ab', true, true],
    ['^b', 'ab', false, false],
    ['(?i)mcp', 'MCP', true, true],
    ['\\pL+', 'é', true, true],
    ['.', '😀', true, true],
    ['.', '\n', false, false],
    ['', '', true, true],
    ['', 'x', false, true],
    ['x', '\ud800', false, false],
  ];
  for (const [pattern, text, whole, part] of rows) {
    assert.equal(compiled(pattern).matchesWhole(text), whole, `${pattern} whole ${text}`);
    assert.equal(compiled(pattern).matchesPart(text), part, `${pattern} part ${text}`);
  }
});

test('a pattern that is not RE2, or too large, is reported as a value', () => {
  const rows: [pattern: string, problem: RegExp][] = [
    ['(', /missing closing \)/],
    ['a(?=b)', /invalid or unsupported Perl syntax/],
    ['(a)\\1', /invalid escape sequence/],
    ['a**', /invalid nested repetition/],
    ['a{1001}', /invalid repeat count/],
    ['(a{1000}){1000}', /invalid repeat count/],
    ['a{1000}'.repeat(40), /too large once its repetitions/],
    ['('.repeat(1500) + ')'.repeat(1500), /nests too deeply/],
    ['a'.repeat(maxPatternLength + 1), /longer than 4096/],
  ];
  for (const [pattern, problem] of rows) {
    assert.match(checkRegularExpression(pattern) ?? 'accepted', problem);
  }
  assert.equal(checkRegularExpression('a'.repeat(maxPatternLength)), null);
});

test('matching takes time linear in the text, whatever the pattern', () => {
  const rows: [pattern: string, text: string][] = [
    ['^(a+)+$', `${'a'.repeat(40_000)}!`],
    ['(x+x+)+y', 'x'.repeat(40_000)],
    ['(a?){200}b', 'a'.repeat(40_000)],
    ['(a|b)*a(a|b){15}$', `${'ab'.repeat(10_000)}c`],
  ];
  for (const [pattern, text] of rows) {
    const expression = compiled(pattern);
    const startedAtMs = performance.now();
    assert.equal(expression.matchesPart(text), false);
    assert.ok(performance.now() - startedAtMs < 20_000, pattern);
  }
});

test('text beyond ASCII does not grow a pattern for ever, and keeps matching', () => {
  const expression = compiled('^/x.*y$');
  for (let codePoint = 0x1_0000; codePoint < 0x3_0000; codePoint += 64) {
    let text = '/x';
    for (let offset = 0; offset < 64; offset += 1) text += String.fromCodePoint(codePoint + offset);
    assert.equal(expression.matchesPart(`${text}y`), true);
    assert.equal(expression.matchesWhole(text), false);
  }
});
