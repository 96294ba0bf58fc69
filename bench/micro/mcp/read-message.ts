/** What it takes to know what a body says. */
import { readAnyMessage, readMessage } from '../../../src/mcp/read-message.ts';
import { scanMessage } from '../../../src/mcp/scan-message.ts';
import { CALL, CALL_ANSWER, callOfBytes, LIST } from '../../messages.ts';
import { measure } from '../measure.ts';

const body = Buffer.from(CALL);
const answer = Buffer.from(CALL_ANSWER);

const list = Buffer.from(LIST);
const long = Buffer.from(callOfBytes(16_000));
const rows = Buffer.from(
  JSON.stringify({
    ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
    params: {
      name: 'insert',
      arguments: { rows: Array.from({ length: 200 }, (_, id) => ({ id, name: `row ${id}` })) },
    },
  }),
);

// A plain call is not built; a message that is none is looked at in vain first. `all built` is the way of all others.
measure([
  { name: `call of ${body.length} octets: read`, run: () => readMessage(body) },
  { name: `call of ${body.length} octets: all built`, run: () => readAnyMessage(body) },
  { name: `call of ${rows.length} octets, rows: read`, run: () => readMessage(rows) },
  { name: `call of ${rows.length} octets, rows: all built`, run: () => readAnyMessage(rows) },
  { name: `call of ${long.length} octets, one string: read`, run: () => readMessage(long) },
  {
    name: `call of ${long.length} octets, one string: all built`,
    run: () => readAnyMessage(long),
  },
  { name: 'list: read', run: () => readMessage(list) },
  { name: 'list: all built', run: () => readAnyMessage(list) },
  { name: `answer of ${answer.length} octets: scanned`, run: () => scanMessage(answer) },
]);
