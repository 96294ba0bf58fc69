/** What it takes to know what a body says. */
import { readMessage } from '../../../src/mcp/read-message.ts';
import { scanMessage } from '../../../src/mcp/scan-message.ts';
import { CALL, CALL_ANSWER } from '../../messages.ts';
import { measure } from '../measure.ts';

const body = Buffer.from(CALL);
const answer = Buffer.from(CALL_ANSWER);

measure([
  { name: `call of ${body.length} octets: read`, run: () => readMessage(body) },
  { name: `answer of ${answer.length} octets: scanned`, run: () => scanMessage(answer) },
]);
