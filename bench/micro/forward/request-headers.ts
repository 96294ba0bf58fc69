/** What the fields of a request take on their way to the upstream. */
import { requestHeaders } from '../../../src/forward/request-headers.ts';
import { measure } from '../measure.ts';
import { head } from '../subjects.ts';

const identity = {
  ...{ principal: null, keptTokenHeader: '', reservedHeaders: new Set<string>() },
  tokensToRemove: [{ in: 'header', name: 'authorization' }],
} as const;
const drop = { cookies: true, acceptEncoding: true };

measure([
  {
    name: 'fields of a request: copied',
    run: () => requestHeaders(head, '127.0.0.1:3001', identity, drop),
  },
]);
