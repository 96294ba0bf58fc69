/** What the rules on HTTP take for a caller whose decision is remembered, and for one whose is not. */
import { createAuthorizer } from '../../../src/authorize/authorize.ts';
import { createDecisionMemo } from '../../../src/authorize/decision-memo.ts';
import type { PolicySubject } from '../../../src/authorize/authorizer.ts';
import { PrincipalFindings } from '../../../src/principal-findings.ts';
import { measure } from '../measure.ts';
import { head } from '../subjects.ts';

const authorizer = createAuthorizer(
  [
    {
      ...{ policy: 'default/claim', policyKind: 'GlooTrafficPolicy', action: 'Allow' },
      ...{ onDeny: null, expressions: ['jwt.sub == "alice"'] },
    },
  ],
  createDecisionMemo(32_768),
);
const claims = { sub: 'alice' };
const anew = (): PolicySubject => ({
  ...head,
  principal: { claims, findings: new PrincipalFindings() },
  startedAtMs: 0,
});
const subject = anew();

measure([
  { name: 'HTTP rule: decision remembered', run: () => authorizer.authorize(subject) },
  {
    name: 'HTTP rule: evaluated',
    run: () => authorizer.authorize(anew()),
  },
]);
