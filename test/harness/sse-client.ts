/** A client of HTTP+SSE that hides nothing: the events of its stream as they come, and each POST's own answer. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { initialize, open, send, type Answer } from './http-client.ts';
import { until } from './until.ts';

export interface SseEvent {
  readonly type: string;
  readonly data: string;
}

export interface SseClient {
  readonly response: IncomingMessage;
  /** Where to post: path and query. */
  readonly endpoint: string;
  /** Every event so far, the `endpoint` among them. */
  readonly events: readonly SseEvent[];
  /** Everything that came on the stream. */
  readonly text: () => string;
  /** Posts a message, with another token than the stream's if one is given. */
  post(message: unknown, token?: string): Promise<Answer>;
  /** Posts a request that must be accepted, and waits for the message with its id on the stream. */
  ask(message: { readonly id: number }): Promise<Readonly<Record<string, unknown>>>;
  /** `initialize` and what follows it. */
  initialize(): Promise<void>;
  hasEnded(): boolean;
  close(): void;
}

export async function openSse(port: number, path: string, token?: string): Promise<SseClient> {
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  const { request, response } = await open({
    port,
    path,
    headers: { accept: 'text/event-stream', ...authorization },
  });
  assert.equal(response.statusCode, 200);
  assert.match(String(response.headers['content-type']), /^text\/event-stream/);
  const pieces: string[] = [];
  let rest = '';
  let hasEnded = false;
  const events: SseEvent[] = [];
  response.setEncoding('utf8').on('data', (piece: string) => {
    pieces.push(piece);
    rest += piece;
    if (!piece.includes('\n')) return;
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = readEvent(block);
      if (event !== null) events.push(event);
    }
  });
  response.on('error', () => undefined).once('close', () => (hasEnded = true));
  const first = await until('the endpoint event', () => events[0]);
  assert.equal(first.type, 'endpoint');
  const endpoint = first.data;

  const post = (message: unknown, otherToken?: string): Promise<Answer> =>
    send({
      port,
      path: endpoint,
      body: typeof message === 'string' ? message : JSON.stringify(message),
      headers: {
        'content-type': 'application/json',
        ...(otherToken === undefined ? authorization : { authorization: `Bearer ${otherToken}` }),
      },
    });
  const ask: SseClient['ask'] = async (message) => {
    const answer = await post(message);
    assert.equal(answer.status, 202, answer.text);
    return until(`the answer to ${message.id}`, () =>
      messages(events).find(isAnswerTo(message.id)),
    );
  };
  return {
    response,
    endpoint,
    events,
    text: () => pieces.join(''),
    post,
    ask,
    async initialize() {
      await ask(initialize);
      await post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    },
    hasEnded: () => hasEnded,
    close: () => request.destroy(),
  };
}

/** The messages among events. */
export function messages(
  events: readonly SseEvent[],
): readonly Readonly<Record<string, unknown>>[] {
  return events
    .filter(({ type }) => type === 'message')
    .map(({ data }) => JSON.parse(data) as Record<string, unknown>);
}

function isAnswerTo(id: number): (message: Readonly<Record<string, unknown>>) => boolean {
  return (message) => message.id === id && message.method === undefined;
}

function readEvent(block: string): SseEvent | null {
  let type = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) type = line.slice(7);
    if (line.startsWith('data: ')) data.push(line.slice(6));
    if (line.startsWith('id:')) throw new Error('an event with an id');
  }
  return data.length === 0 ? null : { type, data: data.join('\n') };
}
