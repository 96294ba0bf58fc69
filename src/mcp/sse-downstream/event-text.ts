import { SESSION_PARAMETER } from './sse-request.ts';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const BEFORE = Buffer.from('event: message\ndata: ');
const AFTER = Buffer.from('\n\n');

/**
 * The first event of a stream: where to POST (MCP 2024-11-05, HTTP with SSE), relative to the origin, since
 * clients refuse another one.
 *
 * @param path normalised, so that it holds no line end and can't be read as another host's
 * @param sessionId sealed
 */
export function endpointEvent(path: string, sessionId: string): Buffer {
  return Buffer.from(`event: endpoint\ndata: ${path}?${SESSION_PARAMETER}=${sessionId}\n\n`);
}

/**
 * One message as an event, without an id: a stream of HTTP+SSE can't be resumed.
 *
 * @param message JSON, whose line ends become spaces: JSON allows them between its tokens alone, and in an
 *   event they would end the line
 */
export function messageEvent(message: Uint8Array): Buffer {
  const event = Buffer.concat([BEFORE, message, AFTER]);
  const end = event.length - AFTER.length;
  for (let index = BEFORE.length; index < end; index += 1) {
    if (event[index] === LF || event[index] === CR) event[index] = SPACE;
  }
  return event;
}
