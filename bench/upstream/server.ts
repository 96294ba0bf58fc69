/**
 * An upstream that costs next to nothing, as a process of its own: `node --import tsx bench/upstream/server.ts PORT`.
 * The path says what it answers:
 *
 *   /mcp          the answer to a call, in JSON
 *   /session      the same, with the id of a session;  /session-sse in one event, as the servers of most SDKs answer
 *   /list/N       a list of N tools in JSON;  /list-sse/N in one event
 *   /stream/N     N events of 128 octets, as fast as the reader takes them
 *   /idle         an event stream that says nothing after its first event
 *
 * Bodies are read and dropped.
 */
import uWS from 'uWebSockets.js';
import { CALL_ANSWER, listAnswer, SESSION_HEADER } from '../messages.ts';

const EVENT = `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(28) } })}\n\n`;
const EVENTS_AT_ONCE = 64;
const lists = new Map<string, string>();

function listOf(count: string): string {
  let text = lists.get(count);
  if (text === undefined) {
    text = listAnswer(Number(count));
    lists.set(count, text);
  }
  return text;
}

function eventOf(message: string): string {
  return `event: message\ndata: ${message}\n\n`;
}

function stream(response: uWS.HttpResponse, count: number): void {
  const block = EVENT.repeat(EVENTS_AT_ONCE);
  let left = Math.ceil(count / EVENTS_AT_ONCE);
  let isGone = false;
  response.onAborted(() => (isGone = true));
  const push = (): boolean => {
    while (left > 0 && !isGone) {
      left -= 1;
      if (!response.write(block)) return true;
    }
    if (!isGone) response.end();
    isGone = true;
    return true;
  };
  response.writeHeader('content-type', 'text/event-stream');
  response.onWritable(push);
  push();
}

const app = uWS.App();
app.any('/*', (response, request) => {
  const [, kind = '', count = '1'] = request.getUrl().split('/');
  const hasBody = request.getMethod() === 'post';
  const answer = (): void => {
    response.cork(() => {
      if (kind === 'stream') {
        stream(response, Number(count));
      } else if (kind === 'idle') {
        response.writeHeader('content-type', 'text/event-stream');
        response.write(EVENT);
      } else if (kind === 'list-sse' || kind === 'session-sse') {
        response.writeHeader('content-type', 'text/event-stream');
        response.writeHeader('cache-control', 'no-cache');
        if (kind === 'session-sse') response.writeHeader(SESSION_HEADER, 'the-only-one');
        // In chunks: who writes events does not know how many there will be.
        response.write(eventOf(kind === 'list-sse' ? listOf(count) : CALL_ANSWER));
        response.end();
      } else {
        response.writeHeader('content-type', 'application/json');
        if (kind === 'session') response.writeHeader(SESSION_HEADER, 'the-only-one');
        response.end(kind === 'list' ? listOf(count) : CALL_ANSWER);
      }
    });
  };
  response.onAborted(() => undefined);
  if (!hasBody) {
    answer();
    return;
  }
  response.onData((_piece, isLast) => {
    if (isLast) answer();
  });
});
app.listen('127.0.0.1', Number(process.argv[2]), (socket) => {
  if (socket === false) process.exit(1);
});
