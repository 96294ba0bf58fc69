import { connect, type Socket } from 'node:net';
import type { RefusalCode } from '../../errors.ts';
import type { Milliseconds } from '../../units.ts';
import { atEndOfTurn, type Delayed } from '../../timers/end-of-turn.ts';
import { upstreamFailure } from '../upstream-failure.ts';
import { AnswerReader, type AnswerLimits, type AnswerSink } from './answer-reader.ts';
import type { Keepable } from './idle-connections.ts';
import type { LineMemory } from './line-memory.ts';
import { writeRequest } from './write-request.ts';

/** Probes tell of a peer that is gone without a word. */
const TCP_KEEP_ALIVE_MS: Milliseconds = 60_000;

/**
 * What every connection of the process is read into: a read is over, and its octets are handed on, before
 * the next one begins. A stream that is silent costs no memory for reading.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);

export interface ConnectionOptions extends AnswerLimits {
  readonly host: string;
  readonly port: number;
  /** Bounds name resolution and TCP together. */
  readonly connectTimeoutMs: Milliseconds;
  /** What the connections to one server share. */
  readonly knownLines: LineMemory;
}

/** What became of a request whose connection was lost. */
export type RequestFate = 'unsent' | 'stale' | 'unanswered' | 'sent';

/** Who waits for the answer that a connection carries. */
export interface ConnectionUser extends AnswerSink {
  /** The answer is complete. */
  onComplete(): void;
  /**
   * There will be no more of the answer.
   *
   * @param fate `unsent`: there never was a connection; `stale`: an old connection ended before an octet of the
   *   request was written; `unanswered`: it ended without an octet of an answer, so that nothing is known of the
   *   request
   */
  onLost(code: RefusalCode, detail: string, fate: RequestFate): void;
}

/** Who owns the connections. */
export interface ConnectionOwner {
  /** The connection can carry another request, for this long. */
  onReusable(connection: Connection, keepForMs: Milliseconds): void;
  /** The connection ended while it was unused. */
  onIdleEnd(connection: Connection): void;
}

/** One connection to one target, in plain TCP, which carries one request at a time. */
export class Connection implements Keepable<Connection>, Delayed {
  before: Connection | null = null;
  after: Connection | null = null;
  isLinked = false;
  idleUntilMs: Milliseconds = 0;
  readonly createdAtMs: Milliseconds;

  readonly #owner: ConnectionOwner;
  readonly #reader: AnswerReader;
  readonly #socket: Socket;
  #connectTimer: NodeJS.Timeout | null;
  #user: ConnectionUser | null = null;
  /** The request that is not written yet; the body is of use with a head alone. */
  #unsentHead: string | null = null;
  #unsentBody: Buffer | null = null;
  /** It has carried an answer before the one that is awaited now. */
  #isOld = false;
  #hasAnswered = false;
  #isPaused = false;
  /** What of the last read came after a pause. */
  #held: Buffer | null = null;

  /**
   * Begins to connect; a request may be sent at once.
   *
   * @param createdAtMs by the monotonic clock
   */
  constructor(options: ConnectionOptions, owner: ConnectionOwner, createdAtMs: Milliseconds) {
    this.createdAtMs = createdAtMs;
    const { host, port, connectTimeoutMs } = options;
    this.#owner = owner;
    this.#reader = new AnswerReader(options, options.knownLines);
    this.#connectTimer = setTimeout(() => {
      this.#lose('UPSTREAM_UNREACHABLE', `no connection within ${connectTimeoutMs} ms`);
    }, connectTimeoutMs);
    this.#socket = connect({
      host,
      port,
      // Every address of a name is tried, and the name is resolved anew for each connection.
      autoSelectFamily: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
      onread: { buffer: READ_BUFFER, callback: (length) => this.#read(length) },
    });
    this.#socket.once('connect', () => this.#stopConnectTimer());
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', (error) => {
      const { code, detail } = upstreamFailure(error);
      this.#lose(code, detail);
    });
    this.#socket.on('close', () => this.#lose('UPSTREAM_RESET', 'the connection was closed'));
  }

  /** Sends a request on this unused connection; `user` gets the answer. */
  send(method: string, head: string, body: Buffer | null, user: ConnectionUser): void {
    this.#user = user;
    this.#hasAnswered = false;
    this.#reader.begin(method, user);
    this.#unsentHead = head;
    this.#unsentBody = body;
    atEndOfTurn(this);
  }

  onEndOfTurn(): void {
    const head = this.#unsentHead;
    if (head === null) return;
    const body = this.#unsentBody;
    this.#unsentHead = null;
    this.#unsentBody = null;
    writeRequest(this.#socket, head, body);
  }

  /** Goes on reading after the user asked for a pause. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    const held = this.#held;
    this.#held = null;
    if (held !== null && !this.#take(held, held.length)) return;
    this.#socket.resume();
  }

  /** Ends the connection at once; its user hears nothing of it. */
  destroy(): void {
    this.#user = null;
    this.#held = null;
    this.#unsentHead = null;
    this.#unsentBody = null;
    this.#isPaused = false;
    this.#reader.stop();
    this.#stopConnectTimer();
    this.#socket.destroy();
  }

  /** @returns false to stop reading */
  #read(length: number): boolean {
    if (this.#user === null) {
      // Nobody asked: whatever it is, it must not become the answer to the next request.
      this.#endIdle();
      return false;
    }
    if (this.#unsentHead !== null) {
      this.#lose('UPSTREAM_RESET', 'the upstream spoke before it was asked');
      return false;
    }
    this.#hasAnswered = true;
    return this.#take(READ_BUFFER, length);
  }

  /** @returns whether to go on reading */
  #take(octets: Buffer, length: number): boolean {
    const reader = this.#reader;
    const taken = reader.push(octets, 0, length);
    switch (reader.state) {
      case 'complete':
        return this.#complete(taken < length);
      case 'faulty':
        this.#lose('UPSTREAM_PROTOCOL', reader.fault);
        return false;
      case 'stopped':
        return false;
      case 'head':
      case 'length':
      case 'chunked':
      case 'until-close':
        if (!reader.isPaused) return true;
        this.#isPaused = true;
        // The memory is used for the next connection's octets as soon as this returns.
        if (taken < length) this.#held = Buffer.from(octets.subarray(taken, length));
        return false;
    }
  }

  /** @returns whether to go on reading: an unused connection must notice its end */
  #complete(hasMore: boolean): boolean {
    const user = this.#user;
    const { keepForMs } = this.#reader;
    // A request that is not fully sent would be continued in the midst of the next one.
    const isReusable = !hasMore && keepForMs > 0 && this.#isOpen();
    if (isReusable) {
      this.#user = null;
      this.#isOld = true;
      this.#reader.stop();
      this.#owner.onReusable(this, keepForMs);
    } else {
      this.destroy();
    }
    user?.onComplete();
    return isReusable;
  }

  #isOpen(): boolean {
    const socket = this.#socket;
    return socket.writableLength === 0 && socket.writable && !socket.readableEnded;
  }

  #onEnd(): void {
    if (this.#user === null) {
      this.#endIdle();
      return;
    }
    this.#reader.end();
    if (this.#reader.state === 'complete') this.#complete(false);
    else this.#lose('UPSTREAM_RESET', 'the upstream closed the connection');
  }

  #endIdle(): void {
    this.#owner.onIdleEnd(this);
    this.destroy();
  }

  #lose(code: RefusalCode, detail: string): void {
    const user = this.#user;
    // What is written before there is a connection is kept by this process.
    const isUnsent = this.#connectTimer !== null;
    const isStale = this.#isOld && this.#unsentHead !== null;
    const isUnanswered = this.#isOld && !this.#hasAnswered && code === 'UPSTREAM_RESET';
    if (user === null) {
      this.#endIdle();
      return;
    }
    this.destroy();
    const fate = isUnsent ? 'unsent' : isStale ? 'stale' : isUnanswered ? 'unanswered' : 'sent';
    user.onLost(code, detail, fate);
  }

  #stopConnectTimer(): void {
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer);
    this.#connectTimer = null;
  }
}
