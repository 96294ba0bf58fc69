/** What it takes to find the token of a request. */
import { compileTokenSources, findToken } from '../../../src/authenticate/find-token.ts';
import { measure } from '../measure.ts';
import { head } from '../subjects.ts';

const sources = compileTokenSources([
  { headers: [{ header: 'authorization', prefix: 'Bearer ' }], queryParams: [] },
]);

measure([{ name: 'token of a request: found', run: () => findToken(head, sources) }]);
