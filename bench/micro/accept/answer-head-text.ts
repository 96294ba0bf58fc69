/** What writing the head of an answer takes, of one that was written before and of one that was not. */
import { answerHeadText } from '../../../src/accept/answer-head-text.ts';
import { measure } from '../measure.ts';
import { anew } from '../subjects.ts';

const fields = ['content-type', 'application/json', 'mcp-session-id', 'a'.repeat(36)];
const known = Array.from({ length: 64 }, () => fields.map(anew));
const other = Array.from({ length: 4096 }, (_, index) => [
  ...fields.map(anew),
  ...['x-request-id', index.toString(16).padStart(4, '0')],
]);
let at = 0;

measure([
  {
    name: 'answer head that was written before',
    run: () => answerHeadText(200, known[(at = (at + 1) & 63)] ?? []),
  },
  {
    name: 'answer head that was not',
    run: () => answerHeadText(200, other[(at = (at + 1) & 4095)] ?? []),
  },
]);
