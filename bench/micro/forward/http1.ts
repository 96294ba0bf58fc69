/**
 * What the HTTP/1.1 client does for each request, apart from the system calls.
 *
 *   node --import tsx bench/micro/forward/http1.ts
 */
import { AnswerReader } from '../../../src/forward/http1/answer-reader.ts';
import { HeadScanner } from '../../../src/forward/http1/head-scanner.ts';
import { LineMemory } from '../../../src/forward/http1/line-memory.ts';
import { requestHead } from '../../../src/forward/http1/write-request.ts';
import type { UpstreamRequest } from '../../../src/forward/upstream.ts';
import { measure } from '../measure.ts';

const limits = { maxHeaderBytes: 65_536, maxHeaderFields: 256, idleTimeoutMs: 4000 };
const sink = { onHead: () => undefined, onData: () => true };

const head =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: 6f1c3a52-0b1e-4a51-9a5c-27d3c8f1a0b4\r\n' +
  'Date: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: keep-alive\r\n';
const whole = Buffer.from(`${head}Content-Length: 130\r\n\r\n${'x'.repeat(130)}`);
const chunk = `100\r\n${'x'.repeat(256)}\r\n`;
const chunked = Buffer.from(
  `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(40)}0\r\n\r\n`,
);
const headText = `${head}Content-Length: 130\r\n\r\n`;

const request: UpstreamRequest = {
  method: 'POST',
  path: '/mcp',
  headers: [
    ...['host', '127.0.0.1:3001', 'accept', 'application/json, text/event-stream'],
    ...['content-type', 'application/json', 'user-agent', 'node', 'accept-language', '*'],
    ...['mcp-session-id', '6f1c3a52-0b1e-4a51-9a5c-27d3c8f1a0b4'],
    ...['mcp-protocol-version', '2025-06-18', 'x-forwarded-for', '127.0.0.1'],
    ...['x-forwarded-host', 'gate.test', 'x-forwarded-proto', 'http'],
  ],
  body: Buffer.from('x'.repeat(110)),
  owner: { kind: 'anonymous' },
  hasTimeout: false,
};

const scanner = new HeadScanner(limits, new LineMemory());
const reader = new AnswerReader(limits);

measure([
  { name: 'request head: written', run: () => requestHead(request) },
  {
    name: `answer head, ${headText.length} octets, as the one before: read`,
    run() {
      scanner.beginHead();
      return scanner.scan(whole, 0, whole.length);
    },
  },
  {
    name: 'answer head of which no line is known: read',
    run() {
      const unlearned = new HeadScanner(limits, new LineMemory());
      unlearned.beginHead();
      return unlearned.scan(whole, 0, whole.length);
    },
  },
  {
    name: 'whole answer of 130 octets: read',
    run() {
      reader.begin('POST', sink);
      return reader.push(whole, 0, whole.length);
    },
  },
  {
    name: '40 chunks of 256 octets: read',
    run() {
      reader.begin('POST', sink);
      return reader.push(chunked, 0, chunked.length);
    },
  },
]);
