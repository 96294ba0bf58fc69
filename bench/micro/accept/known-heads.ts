/** What reading a head takes that came before, beside one that did not. */
import { createKnownHeads } from '../../../src/accept/known-heads.ts';
import { readHead } from '../../../src/accept/read-head.ts';
import { measure } from '../measure.ts';
import { anew, head } from '../subjects.ts';

const limits = {
  ...{ maxHeaderFields: 100, maxHeaderBytes: 65_536 },
  ...{ maxBodyBytes: 4_194_304, maxTargetBytes: 8192 },
};
const known = createKnownHeads(limits.maxHeaderBytes);
const nothing = { find: () => null, add: () => null };
/** As many as there are requests between two looks of the same client, each with texts of its own. */
const raws = Array.from({ length: 64 }, () => ({
  ...{ method: anew(head.method), target: anew(head.path), query: null },
  headers: head.headers.map(anew),
}));
let at = 0;

function next() {
  at = (at + 1) & 63;
  return raws[at] ?? { method: '', target: '', query: null, headers: [] };
}

measure([
  { name: 'head that came before: read', run: () => readHead(next(), limits, known) },
  { name: 'head that did not: read', run: () => readHead(next(), limits, nothing) },
]);
