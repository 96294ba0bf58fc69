/** To look whether a small answer holds a mark: in JavaScript, and on the native side. */
import { createOctetFinder } from '../../../src/mcp/octet-finder.ts';
import { CALL_ANSWER } from '../../messages.ts';
import { measure } from '../measure.ts';

const answer = Buffer.from(CALL_ANSWER);
const long = Buffer.from(CALL_ANSWER.repeat(20));
const find = createOctetFinder('postern-');

measure([
  { name: `answer of ${answer.length} octets: looked through`, run: () => find(answer) },
  { name: 'the same by Buffer.indexOf', run: () => answer.indexOf('postern-') },
  { name: `answer of ${long.length} octets: looked through`, run: () => find(long) },
]);
