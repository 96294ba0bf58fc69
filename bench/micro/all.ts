/** `npm run bench:micro`: all micro benchmarks, one after the other. */
import './accept/answer-head-text.ts';
import './accept/check-head.ts';
import './accept/known-heads.ts';
import './authenticate/check-signature.ts';
import './authenticate/cold-token.ts';
import './authenticate/find-token.ts';
import './authorize/authorize.ts';
import './authorize/mcp-authorizer.ts';
import './mcp/filter-list.ts';
import './mcp/read-message.ts';
import './mcp/octet-finder.ts';
import './forward/request-headers.ts';
import './forward/http1.ts';
import './record/access-line.ts';
import './record/counts.ts';

await import('./hot-path.ts');
