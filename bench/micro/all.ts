/** `npm run bench:micro`: all micro benchmarks, one after the other. */
import './accept/check-head.ts';
import './authenticate/find-token.ts';
import './authorize/mcp-authorizer.ts';
import './mcp/read-message.ts';
import './mcp/octet-finder.ts';
import './forward/request-headers.ts';
import './forward/http1.ts';
import './record/access-line.ts';

await import('./hot-path.ts');
