/** What may be wrong with an answer, and what becomes of the request. */
import { reset, writeForEver, type Fault } from './fault-upstream.ts';

export const JSON_BODY = '{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}';
export const JSON_HEAD = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${JSON_BODY.length}\r\n\r\n`;
export const JSON_ANSWER = JSON_HEAD + JSON_BODY;
const CHUNKED =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
export const EVENTS_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
export const EVENTS_ANSWER = `${EVENTS_HEAD}${chunk('event: message\ndata: {"jsonrpc":"2.0",')}${chunk(
  '"method":"notifications/message","params":{}}\n\n',
)}${chunk(`event: message\ndata: ${JSON_BODY}\n\n`)}0\r\n\r\n`;

/** How a request ends: refused with a status, or with the answer begun and then cut. */
export interface AnswerFault {
  readonly name: string;
  readonly fault: Fault;
  /** Of the refusal. */
  readonly status: 502 | 504;
  /** True where the answer has begun when the fault shows, so that the client's connection is cut. */
  readonly begins?: true;
  /** undici, which the way through TLS is, puts no bound on this but the time of the route. */
  readonly unboundedByUndici?: true;
  /** What the access log says of it. */
  readonly log: RegExp;
}

const RESET = /upstream call failed: connection closed before an answer.*reason=UpstreamFailure/;
const PROTOCOL = /upstream call failed: the answer is not valid HTTP.*reason=UpstreamFailure/;
const TIMEOUT = /request timeout.*reason=Timeout/;

const write =
  (text: string): Fault =>
  (socket) =>
    void socket.write(text, 'latin1');
const end =
  (text: string): Fault =>
  (socket) =>
    void socket.end(text, 'latin1');
const trickle =
  (text: string, stepMs: number): Fault =>
  (socket) => {
    let at = 0;
    const timer = setInterval(() => socket.write(text[at++ % text.length] ?? ''), stepMs);
    socket.once('close', () => clearInterval(timer));
  };

// prettier-ignore
export const answerFaults: readonly AnswerFault[] = [
  { name: 'reset before an answer', fault: reset, status: 502, log: RESET },
  { name: 'end before an answer', fault: end(''), status: 502, log: RESET },
  { name: 'silence', fault: () => undefined, status: 504, log: TIMEOUT },
  { name: 'half a head, then silence', fault: write(JSON_HEAD.slice(0, 30)), status: 504, log: TIMEOUT },
  { name: 'a head that trickles', fault: trickle(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(200)}`, 20), status: 504, log: TIMEOUT },
  { name: 'interim answers, then silence', fault: write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(3)), status: 504, log: TIMEOUT },
  { name: 'not HTTP', fault: end('220 mail.example ESMTP\r\n\r\n'), status: 502, log: PROTOCOL },
  { name: 'a version that is none', fault: end(`HTTP/9.9 200 OK\r\n\r\n`), status: 502, log: PROTOCOL },
  { name: 'a status that is none', fault: end(`HTTP/1.1 2x0 OK\r\n\r\n`), status: 502, log: PROTOCOL },
  { name: 'a field without a name', fault: end('HTTP/1.1 200 OK\r\n: x\r\ncontent-length: 0\r\n\r\n'), status: 502, log: PROTOCOL },
  { name: 'NUL in a field', fault: end('HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n'), status: 502, log: PROTOCOL },
  { name: 'two lengths that differ', fault: end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'), status: 502, log: PROTOCOL },
  { name: 'a length that is no number', fault: end('HTTP/1.1 200 OK\r\ncontent-length: 2x\r\n\r\n{}'), status: 502, log: PROTOCOL },
  { name: 'a negative length', fault: end('HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\n{}'), status: 502, log: PROTOCOL },
  { name: 'length and coding', fault: end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'), status: 502, log: PROTOCOL },
  { name: 'a switch of protocols', fault: end('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'), status: 502, log: /reason=UpstreamFailure/ },
  { name: 'endless header fields', fault: (socket) => { socket.write('HTTP/1.1 200 OK\r\n'); writeForEver(socket, `x: ${'a'.repeat(1000)}\r\n`); }, status: 502, log: PROTOCOL },
  { name: 'an endless header field', fault: (socket) => { socket.write('HTTP/1.1 200 OK\r\nx: '); writeForEver(socket, 'a'.repeat(1000)); }, status: 502, log: PROTOCOL },
  { name: 'an endless status line', unboundedByUndici: true, fault: (socket) => { socket.write('HTTP/1.1 200 '); writeForEver(socket, 'a'.repeat(1000)); }, status: 502, log: PROTOCOL },
  { name: 'a length that is too long', fault: end(JSON_HEAD.replace(/(content-length: )\d+/, '$1999') + JSON_BODY), status: 502, begins: true, log: RESET },
  { name: 'a chunk size that is none', fault: end(`${CHUNKED}xyz\r\n{}\r\n0\r\n\r\n`), status: 502, begins: true, log: PROTOCOL },
  { name: 'a chunk longer than its size', fault: end(`${CHUNKED}2\r\n{}{}\r\n0\r\n\r\n`), status: 502, begins: true, log: PROTOCOL },
  { name: 'chunks without an end', fault: end(CHUNKED + chunk(JSON_BODY)), status: 502, begins: true, log: RESET },
  { name: 'a chunk size of many digits', fault: end(`${CHUNKED}${'f'.repeat(40)}\r\n{}`), status: 502, begins: true, log: PROTOCOL },
  { name: 'an endless chunk extension', unboundedByUndici: true, fault: (socket) => { socket.write(`${CHUNKED}2;`); writeForEver(socket, 'a'.repeat(1000)); }, status: 502, begins: true, log: PROTOCOL },
  { name: 'endless trailers', fault: (socket) => { socket.write(`${CHUNKED}${chunk(JSON_BODY)}0\r\n`); writeForEver(socket, `x: ${'a'.repeat(1000)}\r\n`); }, status: 502, begins: true, log: PROTOCOL },
  { name: 'a reset within the body', fault: (socket) => { socket.write(JSON_HEAD + JSON_BODY.slice(0, 5)); setTimeout(() => reset(socket), 30); }, status: 502, begins: true, log: RESET },
  { name: 'endless interim answers', fault: (socket) => writeForEver(socket, 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(20)), status: 502, log: PROTOCOL },
];
