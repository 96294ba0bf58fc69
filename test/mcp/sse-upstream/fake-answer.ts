/** An `UpstreamAnswer` that remembers, and an `Upstream` in memory that does what a test says. */
import assert from 'node:assert/strict';
import type { HeaderFields } from '../../../src/accept/request-head.ts';
import type { RefusalCode } from '../../../src/errors.ts';
import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../../../src/forward/upstream.ts';

export interface FakeAnswer extends UpstreamAnswer {
  status: number;
  headers: HeaderFields;
  text: string;
  end: 'open' | 'ended' | RefusalCode;
  detail: string;
  /** What `onData` returns. */
  takesMore: boolean;
  /** The JSON of each event's data. */
  events(): readonly unknown[];
}

export function fakeAnswer(): FakeAnswer {
  const answer: FakeAnswer = {
    status: 0,
    headers: [],
    text: '',
    end: 'open',
    detail: '',
    takesMore: true,
    onHead(status, headers) {
      assert.equal(answer.status, 0, 'one head');
      assert.equal(answer.end, 'open');
      answer.status = status;
      answer.headers = headers;
    },
    onData(piece) {
      assert.ok(answer.status !== 0 && answer.end === 'open', 'data between head and end');
      answer.text += Buffer.from(piece).toString();
      return answer.takesMore;
    },
    onEnd() {
      assert.ok(answer.status !== 0 && answer.end === 'open', 'one end, after the head');
      answer.end = 'ended';
    },
    onFailure(code, detail) {
      assert.equal(answer.end, 'open', 'one end');
      answer.end = code;
      answer.detail = detail;
    },
    events: () =>
      answer.text
        .split('\n\n')
        .filter((event) => event !== '')
        .map((event) => {
          const [type, ...data] = event.split('\n');
          assert.equal(type, 'event: message');
          return JSON.parse(data.map((line) => line.replace(/^data: /, '')).join('\n')) as unknown;
        }),
  };
  return answer;
}

/** A request that has reached the fake server. */
export interface FakeCall {
  readonly request: UpstreamRequest;
  readonly answer: UpstreamAnswer;
  isAborted: boolean;
  /** The body, parsed. */
  readonly message: Record<string, unknown>;
}

export interface FakeHttp extends Upstream {
  readonly streams: readonly FakeCall[];
  readonly posts: readonly FakeCall[];
  /** What to do with posts; by default they are accepted. */
  onPost: (call: FakeCall) => void;
  /** What to do with requests for a stream; by default they get an endpoint. */
  onStream: (call: FakeCall) => void;
  isClosed: boolean;
}

export function accept({ answer }: FakeCall): void {
  answer.onHead(202, []);
  answer.onEnd();
}

export function refuse(status: number, text = 'no'): (call: FakeCall) => void {
  return ({ answer }) => {
    answer.onHead(status, ['content-type', 'text/plain', 'mcp-session-id', 'theirs']);
    answer.onData(Buffer.from(text));
    answer.onEnd();
  };
}

export function beginStream({ answer }: FakeCall): void {
  answer.onHead(200, ['content-type', 'text/event-stream; charset=utf-8']);
}

export function sendEvent(call: FakeCall | undefined, data: unknown, type = 'message'): void {
  assert.ok(call !== undefined && !call.isAborted, 'the stream is open');
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  call.answer.onData(Buffer.from(`event: ${type}\ndata: ${text}\n\n`));
}

export function fakeHttp(): FakeHttp {
  const streams: FakeCall[] = [];
  const posts: FakeCall[] = [];
  const http: FakeHttp = {
    backendName: 'ns/mcp',
    targetName: 'target',
    path: '/sse',
    authority: 'mcp.test:8080',
    streams,
    posts,
    isClosed: false,
    onPost: accept,
    onStream(call) {
      beginStream(call);
      sendEvent(call, `/message?sessionId=${streams.length}`, 'endpoint');
    },
    request(request, answer) {
      const text = request.body === null ? '{}' : request.body.toString();
      const message = JSON.parse(text) as Record<string, unknown>;
      const call: FakeCall = { request, answer, isAborted: false, message };
      const isStream = request.method === 'GET';
      (isStream ? streams : posts).push(call);
      if (isStream) http.onStream(call);
      else http.onPost(call);
      return { abort: () => void (call.isAborted = true), resume: () => undefined };
    },
    close: () => void (http.isClosed = true),
  };
  return http;
}
