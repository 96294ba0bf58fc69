/** What the rules on HTTP take for a caller whose decision is remembered, and for one whose is not. */
import { createAuthorizer } from '../../../src/authorize/authorize.ts';
import type { PolicySubject } from '../../../src/authorize/authorizer.ts';
import { measure } from '../measure.ts';
import { head } from '../subjects.ts';

const authorizer = createAuthorizer([
  {
    ...{ policy: 'default/claim', policyKind: 'GlooTrafficPolicy', action: 'Allow', onDeny: null },
    expressions: ['jwt.sub == "alice"'],
  },
]);
const subject: PolicySubject = { ...head, claims: { sub: 'alice' }, startedAtMs: 0 };

measure([
  { name: 'HTTP rule: decision remembered', run: () => authorizer.authorize(subject) },
  {
    name: 'HTTP rule: evaluated',
    run: () => authorizer.authorize({ ...subject, claims: { sub: 'alice' } }),
  },
]);
