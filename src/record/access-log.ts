/**
 * The access log's writer: takes lines, writes them in blocks in the background, and never waits. Lines
 * that a slow, full or closed destination can't take are dropped and counted.
 */

import { fstatSync } from 'node:fs';
import sonicBoom from 'sonic-boom';
import type { Bytes, Milliseconds } from '../units.ts';
import { accessLine, maxLineBytes } from './access-line.ts';
import type { AccessRecord, LineMemory, LogFormat } from './access-line.ts';

export interface AccessLogOptions {
  /** File descriptor to write to; 1 and 2 are not closed at the end. */
  readonly fd: number;
  readonly format: LogFormat;
  /** How much may wait for the destination; 4 MiB if left out. */
  readonly maxBufferedBytes?: Bytes;
  /** How long a line waits for others before it is written; 100 ms if left out. */
  readonly flushIntervalMs?: Milliseconds;
}

export interface AccessLog {
  /** @param memory see {@link accessLine} */
  write(record: AccessRecord, memory?: LineMemory): void;
  /** Lines that were dropped since the start. */
  readonly dropped: number;
  /** Writes that failed since the start. */
  readonly failures: number;
  /**
   * Writes what waits, for at most the given time (2 s if left out), and closes.
   *
   * @returns after the last byte was handed over or the time is up; never rejects
   */
  close(timeoutMs?: Milliseconds): Promise<void>;
}

const EMPTY = Buffer.alloc(0);
const LF = 0x0a;

const defaultMaxBufferedBytes = 4_194_304;
const defaultFlushIntervalMs = 100;
const defaultCloseTimeoutMs = 2000;
/** Blocks for a file; whatever else may be a pipe that other processes write to as well. */
const fileBlockBytes = 65_536;
/** After a failed write the destination is tried again this often. */
const retryIntervalMs = 1000;

/** Opens a log on a descriptor that is open already. */
export function createAccessLog(options: AccessLogOptions): AccessLog {
  const {
    fd,
    format,
    maxBufferedBytes = defaultMaxBufferedBytes,
    flushIntervalMs = defaultFlushIntervalMs,
  } = options;
  // A pipe takes up to PIPE_BUF octets in one piece; larger blocks of two processes could mix.
  const blockBytes = isFile(fd) ? fileBlockBytes : maxLineBytes;
  let abandoned = false;
  const stream = new sonicBoom.SonicBoom({
    fd,
    sync: false,
    minLength: 0,
    maxLength: maxBufferedBytes,
    maxWrite: blockBytes,
    retryEAGAIN: () => !abandoned,
    contentMode: 'buffer',
  });
  // In the mode for octets it takes nothing else, which its types do not know.
  const write = (octets: Uint8Array): boolean => stream.write(octets as unknown as string);
  // Octets at once: a text grown line by line is a tree that outlives young memory, and is walked at the end.
  let block: Buffer = EMPTY;
  let usedBytes = 0;
  let dropped = 0;
  let failures = 0;
  let flushTimer: NodeJS.Timeout | null = null;
  let retryTimer: NodeJS.Timeout | null = null;
  let closed = false;

  stream.on('drop', (octets: Buffer) => {
    for (let at = octets.indexOf(LF); at !== -1; at = octets.indexOf(LF, at + 1)) dropped += 1;
  });
  stream.on('error', () => {
    failures += 1;
    retryTimer ??= setTimeout(retry, retryIntervalMs).unref();
  });

  function flush(): void {
    if (flushTimer !== null) clearTimeout(flushTimer);
    flushTimer = null;
    if (usedBytes === 0) return;
    const used = block.subarray(0, usedBytes);
    usedBytes = 0;
    // The writer keeps what it gets until it is written.
    if (used.length < block.length / 2) {
      write(Buffer.from(used));
    } else {
      block = EMPTY;
      write(used);
    }
  }

  function retry(): void {
    retryTimer = null;
    // Nothing new would be accepted while the buffer is full, and so nothing would start a write.
    if (!closed) write(EMPTY);
  }

  return {
    write(record, memory) {
      if (closed) {
        dropped += 1;
        return;
      }
      const line = accessLine(record, format, memory);
      if (usedBytes + line.length > blockBytes) flush();
      if (block.length === 0) block = Buffer.allocUnsafeSlow(blockBytes);
      usedBytes += block.write(line, usedBytes, 'latin1');
      flushTimer ??= setTimeout(flush, flushIntervalMs);
    },
    get dropped() {
      return dropped;
    },
    get failures() {
      return failures;
    },
    async close(timeoutMs = defaultCloseTimeoutMs) {
      if (closed) return;
      flush();
      closed = true;
      if (retryTimer !== null) clearTimeout(retryTimer);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        const finish = (): void => {
          clearTimeout(timer);
          resolve();
        };
        stream.once('close', finish);
        stream.once('error', finish);
        stream.end();
      });
      abandoned = true;
      stream.destroy();
    },
  };
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
