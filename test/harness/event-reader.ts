/** Reads an open event stream piece by piece. */
import { finished } from 'node:stream';
import { mcpHeaders, open } from './http-client.ts';

export interface EventReader {
  readonly status: number;
  /** All that has come so far. */
  readonly text: string;
  /** `clean`: ended as a complete answer does. `cut`: the connection broke. */
  readonly end: 'open' | 'clean' | 'cut';
  /** `performance.now()` when it ended. */
  readonly endedAtMs: number;
  close(): void;
}

/** GETs the event stream of an MCP server, or POSTs a message and reads the answer as it comes. */
export async function readEvents(
  port: number,
  options: { token?: string; path?: string; message?: unknown } = {},
): Promise<EventReader> {
  const { token, path, message } = options;
  const { request, response } = await open({
    port,
    headers: {
      ...mcpHeaders(token),
      ...(message === undefined ? { accept: 'text/event-stream' } : {}),
    },
    ...(path === undefined ? {} : { path }),
    ...(message === undefined ? {} : { body: JSON.stringify(message) }),
  });
  const reader = {
    status: response.statusCode ?? 0,
    text: '',
    end: 'open' as EventReader['end'],
    endedAtMs: 0,
    close: () => void request.destroy(),
  };
  response.setEncoding('utf8').on('data', (text: string) => (reader.text += text));
  finished(response, (error) => {
    reader.end = error == null ? 'clean' : 'cut';
    reader.endedAtMs = performance.now();
  });
  return reader;
}
