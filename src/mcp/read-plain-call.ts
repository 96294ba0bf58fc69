import {
  endOfPlainString,
  endOfPlainValue,
  endOfWord,
  isUtf8Text,
  isWordAt,
  MAX_PLAIN_OCTETS,
  NOT_PLAIN,
  octetAt,
  plainWord,
  skipSpace,
  stringBetween,
  takeText,
} from '../json/plain-value.ts';
import type { McpRequest, RequestId } from './message.ts';
import { maxIdLength } from './message-limits.ts';
import { buildObject, PlainCall, PlainTool } from './plain-call.ts';
import { readProtocolVersion } from './read-meta.ts';
import { maxNameLength } from './read-object.ts';

const TOOLS_CALL = 'tools/call';
/** An integer of so many digits is exact. */
const MAX_ID_DIGITS = 15;

// The members that decide, of the message and of its params.
const JSONRPC = 0;
const ID = 1;
const METHOD = 2;
const PARAMS = 3;
const NAME = 4;
const ARGUMENTS = 5;
const META = 6;
const UNKNOWN = 7;

/** Their names, each with its last quote: a name that is compared need not be searched for its end. */
const memberNames = Uint16Array.from(
  ['jsonrpc"', 'id"', 'method"', 'params"', 'name"', 'arguments"', '_meta"'],
  plainWord,
);
const W_VERSION = plainWord('2.0');
const W_TOOLS_CALL = plainWord(TOOLS_CALL);

// Where their values begin and end, the latter NOT_PLAIN where there is none. Kept between calls, since reading
// one never waits.
const starts = new Int32Array(UNKNOWN);
const ends = new Int32Array(UNKNOWN);

/**
 * Reads a `tools/call` in the writing that nearly all clients use, for a fraction of what it takes to build all of
 * it (bench/micro/mcp/read-message.ts): its members are those that decide and no others, each once, in any order,
 * and its name and id are visible ASCII without escapes. The arguments and the params are validated to the end, and
 * built when somebody asks for them.
 *
 * It takes nothing that `readAnyMessage` would not take, and reads it the same; it refuses nothing.
 *
 * @param body must not change afterwards
 * @returns `null` for all else
 */
export function readPlainCall(body: Uint8Array): McpRequest | null {
  if (body.length > MAX_PLAIN_OCTETS) return null;
  takeText(body);
  // A loop of seven is nothing; the engine's own `fill` is a call out of compiled code.
  for (let member = 0; member < UNKNOWN; member += 1) ends[member] = NOT_PLAIN;
  const end = endOfMembers(skipSpace(0), false);
  if (end === NOT_PLAIN || skipSpace(end) !== body.length || !isUtf8Text(body)) return null;
  if (!isText(JSONRPC, W_VERSION)) return null;
  if (isAbsent(METHOD)) return null;
  if (!isPlainString(NAME) || lengthOf(NAME) > maxNameLength) return null;
  if (!isObjectOrAbsent(ARGUMENTS) || !isObjectOrAbsent(META)) return null;
  const id = readId();
  if (id === null) return null;

  const meta = isAbsent(META) ? null : buildObject(body, startOf(META), endOf(META));
  const version = meta === null ? null : readProtocolVersion(TOOLS_CALL, meta, id);
  if (version !== null && typeof version === 'object') return null;
  const tool = new PlainTool(textOf(NAME), body, startOf(ARGUMENTS), endOf(ARGUMENTS));
  return new PlainCall(id, meta, version, tool, body, startOf(PARAMS), endOf(PARAMS));
}

/** Where the object at `start` ends: the message, or its params. Notes where its members stand. */
function endOfMembers(start: number, isParams: boolean): number {
  if (octetAt(start) !== 0x7b) return NOT_PLAIN;
  let at = start;
  do {
    const quote = skipSpace(at + 1);
    if (octetAt(quote) !== 0x22) return NOT_PLAIN;
    const member = memberBy(octetAt(quote + 1), isParams);
    // One that is not known, or that was there before.
    if (member === UNKNOWN || ends[member] !== NOT_PLAIN) return NOT_PLAIN;
    const nameEnd = endOfWord(quote + 1, memberNames[member] ?? 0);
    if (nameEnd === NOT_PLAIN) return NOT_PLAIN;
    const colon = skipSpace(nameEnd);
    if (octetAt(colon) !== 0x3a) return NOT_PLAIN;
    const valueStart = skipSpace(colon + 1);
    const valueEnd =
      member === PARAMS ? endOfMembers(valueStart, true) : endOfPlainValue(valueStart);
    if (valueEnd === NOT_PLAIN) return NOT_PLAIN;
    starts[member] = valueStart;
    ends[member] = valueEnd;
    // Here, since many clients write it first, and other messages are looked at again.
    if (member === METHOD && !isText(METHOD, W_TOOLS_CALL)) return NOT_PLAIN;
    at = skipSpace(valueEnd);
  } while (octetAt(at) === 0x2c);
  return octetAt(at) === 0x7d ? at + 1 : NOT_PLAIN;
}

/** The only member whose name may begin with an octet. */
function memberBy(octet: number, isParams: boolean): number {
  switch (octet) {
    case 0x6a: // j
      return isParams ? UNKNOWN : JSONRPC;
    case 0x69: // i
      return isParams ? UNKNOWN : ID;
    case 0x6d: // m
      return isParams ? UNKNOWN : METHOD;
    case 0x70: // p
      return isParams ? UNKNOWN : PARAMS;
    case 0x6e: // n
      return isParams ? NAME : UNKNOWN;
    case 0x61: // a
      return isParams ? ARGUMENTS : UNKNOWN;
    case 0x5f: // _
      return isParams ? META : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

function startOf(member: number): number {
  return starts[member] ?? 0;
}

function endOf(member: number): number {
  return ends[member] ?? NOT_PLAIN;
}

function isAbsent(member: number): boolean {
  return endOf(member) === NOT_PLAIN;
}

function isString(member: number): boolean {
  return !isAbsent(member) && octetAt(startOf(member)) === 0x22;
}

/** Whether it is a string whose octets are its characters. */
function isPlainString(member: number): boolean {
  return isString(member) && endOfPlainString(startOf(member) + 1) === endOf(member) - 1;
}

function isObjectOrAbsent(member: number): boolean {
  return isAbsent(member) || octetAt(startOf(member)) === 0x7b;
}

/** Of a string; a plain one has as many characters as octets. */
function lengthOf(member: number): number {
  return endOf(member) - startOf(member) - 2;
}

/** Whether it is a string in these very octets. */
function isText(member: number, word: number): boolean {
  return isString(member) && isWordAt(startOf(member) + 1, endOf(member) - 1, word);
}

function textOf(member: number): string {
  return stringBetween(startOf(member) + 1, endOf(member) - 1);
}

/** @returns `null` for an id in another form than a string or a short integer */
function readId(): RequestId | null {
  if (isAbsent(ID)) return null;
  if (isPlainString(ID)) return lengthOf(ID) > maxIdLength ? null : textOf(ID);
  const start = startOf(ID);
  const end = endOf(ID);
  if (end - start > MAX_ID_DIGITS) return null;
  let id = 0;
  for (let at = start; at < end; at += 1) {
    const digit = octetAt(at) - 0x30;
    if (digit < 0 || digit > 9) return null;
    id = id * 10 + digit;
  }
  return id;
}
