import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTokenSources, findToken } from '../../src/authenticate/find-token.ts';
import { findTokenAgain } from '../../src/authenticate/remembered-token.ts';
import { HeadFindings } from '../../src/head-findings.ts';

const bearer = compileTokenSources([
  { headers: [{ header: 'authorization', prefix: 'Bearer ' }], queryParams: [] },
]);
const custom = compileTokenSources([
  { headers: [{ header: 'x-token', prefix: '' }], queryParams: [] },
]);
const request = { headers: ['authorization', 'Bearer one', 'x-token', 'two'], query: null };

test('the token of a head is found once for each policy that looks for it', () => {
  const findings = new HeadFindings();
  const first = findTokenAgain(request, bearer, findings);
  assert.deepEqual(first.found, findToken(request, bearer));
  assert.equal(findTokenAgain(request, bearer, findings), first);
});

test('another policy finds its own token in the same head', () => {
  const findings = new HeadFindings();
  for (const sources of [bearer, custom, bearer]) {
    assert.deepEqual(findTokenAgain(request, sources, findings).found, findToken(request, sources));
  }
});

test('nothing is remembered where there is nowhere to', () => {
  const other = { headers: ['authorization', 'Bearer other'], query: null };
  findTokenAgain(request, bearer, null);
  assert.deepEqual(findTokenAgain(other, bearer, null).found, findToken(other, bearer));
});
