/**
 * The process log: what Postern says about itself, on standard error. Requests have the access log.
 */

import { writeSync } from 'node:fs';
import { pino } from 'pino';
import type { Logger } from 'pino';
import { timestamp } from './access-line.ts';
import type { LogFormat } from './access-line.ts';
import { encodeString, encodeValue } from './encode-value.ts';

export type ProcessLogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface ProcessLogOptions {
  readonly format: LogFormat;
  readonly level: ProcessLogLevel;
  /** File descriptor; standard error if left out. */
  readonly fd?: number;
}

/** Fields and then the message, as in pino. Fields never hold a token or a key. */
export type ProcessLog = Pick<Logger, ProcessLogLevel | 'fatal'>;

const standardError = 2;
const maxMessageLength = 8192;
const maxFieldLength = 4096;

/**
 * Messages are few, and the last one is the one that matters, so each is written before the call returns.
 * What the destination does not take is lost.
 */
export function createProcessLog({
  format,
  level,
  fd = standardError,
}: ProcessLogOptions): ProcessLog {
  return pino(
    {
      level,
      base: { scope: 'process', pid: process.pid },
      messageKey: 'message',
      timestamp: () => `,"time":"${timestamp(Date.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => writeAll(fd, format === 'json' ? jsonLine(line) : textLine(line)) },
  );
}

function writeAll(fd: number, line: string): void {
  try {
    for (let written = 0; written < line.length;) written += writeSync(fd, line.slice(written));
  } catch {
    // Nobody is left to be told that the place to tell is full or gone.
  }
}

/** Within JSON, what is not ASCII can stand nowhere but in strings. */
function jsonLine(line: string): string {
  return line.replaceAll(
    /[^ -~\n]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `time<TAB>level<TAB>message name=value ...`, in ASCII, from one line of JSON. */
function textLine(line: string): string {
  const entry: unknown = JSON.parse(line);
  if (typeof entry !== 'object' || entry === null) return line;
  const { level, time, message, ...fields } = Object.fromEntries(Object.entries(entry));
  let text = `${asText(time)}\t${asText(level)}\t${cleanMessage(asText(message))}`;
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'scope' || name === 'pid') continue;
    text += ` ${encodeValue(name, 'foreign', 64)}=${encodeValue(asText(value), 'foreign', maxFieldLength)}`;
  }
  return `${text}\n`;
}

function asText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A message is a sentence and stands without quotes, but never holds more than one line of ASCII. */
function cleanMessage(message: string): string {
  if (message.length <= maxMessageLength && /^[ -~]*$/.test(message)) return message;
  return encodeString(message, maxMessageLength);
}
