/** What looking through the fields of a request takes. */
import { checkHead } from '../../../src/accept/check-head.ts';
import { measure } from '../measure.ts';
import { anew, head } from '../subjects.ts';

const limits = {
  ...{ maxHeaderFields: 100, maxHeaderBytes: 65_536 },
  ...{ maxBodyBytes: 4_194_304, maxTargetBytes: 8192 },
};
const seen = head.headers.map(anew);
const token = seen[9] ?? '';
let count = 0;

measure([
  { name: 'head with a known token: checked', run: () => checkHead('POST', 4, seen, limits) },
  {
    name: 'head with a new token: checked',
    run() {
      count += 1;
      seen[9] = `${token}${count}`;
      const result = checkHead('POST', 4, seen, limits);
      seen[9] = token;
      return result;
    },
  },
]);
