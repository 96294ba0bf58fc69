/**
 * Open-loop load: requests are sent at times that do not depend on the answers. The latency of one that had to wait for
 * a connection counts from the time it was due, so that a server that stalls is charged for every request that it kept
 * waiting, which closed loops leave out (coordinated omission). One that found a connection free counts from when it
 * was written: being late by a fraction of a millisecond is the generator's own doing. It sleeps in between, since it
 * shares its core with the upstream.
 */
import { connect, type Socket } from 'node:net';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { LoadRequest } from './request.ts';

export interface OpenLoopOptions {
  readonly port: number;
  readonly request: LoadRequest;
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly seconds: number;
  /** How much of that goes by before times are taken: connections are made in it, on both sides of a gate. */
  readonly settlingSeconds?: number;
  readonly expectedStatus: number;
}

export interface OpenLoopResult {
  readonly sent: number;
  readonly answered: number;
  readonly unexpected: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** Of every answer to a request that was due after settling, in nanoseconds. */
  readonly times: RecordableHistogram;
  /** The same, apart for each {@link WINDOW_MS} in which requests were due. */
  readonly windows: readonly RecordableHistogram[];
}

/** Short enough that most of them see nothing of what else the machine does now and then. */
export const WINDOW_MS = 250;

/** Enough for what is made once for each connection. */
export const SETTLING_SECONDS = 0.5;

/**
 * How long it sleeps at once. A timer of Node's sleeps a whole millisecond or more, and what became due meanwhile would
 * be sent in one burst, whose last request waits for all others of it: at 15,000 requests a second 16 of them.
 */
const NAP_MS = 0.05;
const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));

const CRLF2 = Buffer.from('\r\n\r\n');
/** How long the last answers are waited for. */
const TAIL_MS = 5000;

/** Sends at a fixed rate. Requests that find no free connection wait for one; their clock is running. */
export async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const { requestsPerSecond, seconds, settlingSeconds = 0, expectedStatus } = options;
  const windowCount = Math.max(1, Math.ceil(((seconds - settlingSeconds) * 1000) / WINDOW_MS));
  const windows = Array.from({ length: windowCount }, () => createHistogram());
  const texts = requestTexts(options.request);
  const total = Math.floor(requestsPerSecond * seconds);
  const free: Connection[] = [];
  const due: number[] = [];
  let countedFromMs = Infinity;
  let dueAt = 0;
  let sent = 0;
  let answered = 0;
  let unexpected = 0;
  let errors = 0;

  const connections = await Promise.all(
    Array.from({ length: options.connections }, () =>
      openConnection(options.port, {
        onAnswer(connection, status, dueMs) {
          answered += 1;
          if (status !== expectedStatus) unexpected += 1;
          const window = Math.floor((dueMs - countedFromMs) / WINDOW_MS);
          // What is due at the very end still belongs to the last; what is due before the first, to none.
          windows[Math.min(window, windows.length - 1)]?.record(
            Math.max(1, Math.round((performance.now() - dueMs) * 1e6)),
          );
          next(connection);
        },
        onError: () => (errors += 1),
      }),
    ),
  );
  free.push(...connections);

  function next(connection: Connection): void {
    const waiting = due[dueAt];
    if (waiting === undefined) {
      free.push(connection);
      return;
    }
    dueAt += 1;
    connection.send(texts[sent % texts.length] ?? '', waiting);
    sent += 1;
  }

  const startedAt = performance.now();
  countedFromMs = startedAt + settlingSeconds * 1000;
  let scheduled = 0;
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const elapsedMs = performance.now() - startedAt;
      const wanted = Math.min(total, Math.floor((elapsedMs / 1000) * requestsPerSecond));
      while (scheduled < wanted) {
        const dueMs = startedAt + ((scheduled + 1) / requestsPerSecond) * 1000;
        scheduled += 1;
        const connection = free.pop();
        due.push(connection === undefined ? dueMs : performance.now());
        if (connection !== undefined) next(connection);
      }
      if (scheduled >= total) {
        resolve();
        return;
      }
      Atomics.wait(NEVER_WOKEN, 0, 0, NAP_MS);
      // Answers are read before the next tick.
      setImmediate(tick);
    };
    tick();
  });
  const end = performance.now() + TAIL_MS;
  while (answered + errors < total && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (const connection of connections) connection.close();
  const times = createHistogram();
  for (const window of windows) times.add(window);
  const at = (percentile: number): number => times.percentile(percentile) / 1e6;
  return {
    sent,
    answered,
    unexpected,
    errors: errors + (total - answered),
    p50Ms: at(50),
    p99Ms: at(99),
    p999Ms: at(99.9),
    maxMs: times.max / 1e6,
    times,
    windows,
  };
}

function requestTexts({ method, path, headers, body, tokens }: LoadRequest): readonly string[] {
  const make = (token: string | null): string => {
    const fields = Object.entries({
      host: '127.0.0.1',
      ...headers,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(method === 'POST' ? { 'content-length': String(Buffer.byteLength(body)) } : {}),
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${method} ${path} HTTP/1.1\r\n${fields.join('')}\r\n${body}`;
  };
  return tokens.length === 0 ? [make(null)] : tokens.map(make);
}

interface Connection {
  send(text: string, dueMs: number): void;
  close(): void;
}

interface Taker {
  onAnswer(connection: Connection, status: number, dueMs: number): void;
  onError(): void;
}

/**
 * What all connections are read into: with memory for each piece, and texts written as UTF-8, the generator takes a
 * fifth more CPU, which the upstream, on the same core, lacks.
 */
const READ_BUFFER = Buffer.alloc(65_536);
const NOTHING = Buffer.alloc(0);

/** One request at a time; answers must say their length. */
async function openConnection(port: number, taker: Taker): Promise<Connection> {
  const socket: Socket = connect({
    ...{ port, host: '127.0.0.1', noDelay: true },
    onread: {
      buffer: READ_BUFFER,
      callback(length) {
        take(READ_BUFFER.subarray(0, length));
        return true;
      },
    },
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  let dueMs = 0;
  let isWaiting = false;
  let pending: Buffer = NOTHING;
  const connection: Connection = {
    send(text, due) {
      dueMs = due;
      isWaiting = true;
      socket.write(text, 'latin1');
    },
    close: () => socket.destroy(),
  };
  function take(piece: Buffer): void {
    const octets = pending.length === 0 ? piece : Buffer.concat([pending, piece]);
    const headEnd = octets.indexOf(CRLF2);
    const head = octets.toString('latin1', 0, Math.max(0, headEnd));
    const length = /^content-length:\s*(\d+)/im.exec(head)?.[1];
    const bodyStart = headEnd + CRLF2.length;
    const bodyEnd =
      length === undefined ? endOfChunks(octets, bodyStart) : bodyStart + Number(length);
    if (headEnd < 0 || bodyEnd < 0 || octets.length < bodyEnd) {
      pending = pending.length === 0 ? Buffer.from(octets) : octets;
      return;
    }
    pending = octets.length === bodyEnd ? NOTHING : Buffer.from(octets.subarray(bodyEnd));
    isWaiting = false;
    taker.onAnswer(connection, Number(head.slice(9, 12)), dueMs);
  }
  const fail = (): void => {
    if (!isWaiting) return;
    isWaiting = false;
    taker.onError();
  };
  socket.on('error', fail);
  socket.on('close', fail);
  return connection;
}

/** Chunked answers of the bench end in a chunk of no length, and hold no such octets elsewhere. */
function endOfChunks(bytes: Buffer, from: number): number {
  const at = bytes.indexOf('0\r\n\r\n', Math.max(from, bytes.length - 16));
  return at < 0 ? -1 : at + 5;
}
