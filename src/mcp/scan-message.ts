import { isUtf8 } from 'node:buffer';
import { asBuffer } from './growing-bytes.ts';
import {
  MEMBER_TWICE,
  NOT_JSON,
  OPEN_BRACE,
  OPEN_BRACKET,
  readArray,
  readObject,
  scalarAt,
  skipSpace,
  skipValue,
  stringAt,
  type MemberReader,
} from './json-octets.ts';
import { MemberNames } from './member-names.ts';
import { listKinds, namingMember, type ListKind } from './list-kind.ts';

/** Why a message can't be read, in words that repeat nothing of it. */
export type ScanFault = 'not UTF-8' | 'not JSON' | 'a member occurs twice';

/** What a message that goes to a client holds of what the gate decides on. Indexes are octets of the message. */
export interface MessageScan {
  readonly text: Buffer;
  /** `batch`: an array; `other`: neither an object nor an array. */
  readonly shape: 'object' | 'batch' | 'other';
  /** `undefined` where there is none, or where it is no string, number or null. */
  readonly id: string | number | null | undefined;
  /** `null` where there is none, or where it is not a string. */
  readonly method: string | null;
  /** `params.uri`, or `null` where it is not there or not a string. */
  readonly uri: string | null;
  /** After the opening brace of the result; -1 where there is no result, or it is not an object. */
  readonly resultInside: number;
  readonly hasResult: boolean;
  readonly hasError: boolean;
  /** The result says `isError: true`, as that of a tool that failed does. */
  readonly isToolError: boolean;
  /** The lists of the result, in the order they stand. */
  readonly lists: readonly ScannedList[];
  readonly cacheScope: ScannedValue | null;
}

export interface ScannedValue {
  readonly start: number;
  readonly end: number;
}

export interface ScannedList {
  readonly kind: ListKind;
  readonly shape: 'array' | 'null' | 'other';
  /** For each item where it begins, where it ends, and what it is called; `null`: nothing that can be read. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly names: readonly (string | null)[];
}

const MESSAGE_MEMBERS = ['id', 'method', 'params', 'result', 'error'];
const RESULT_MEMBERS = [...listKinds, 'cacheScope', 'isError'];
const LETTER_T = 0x74;
/** Most messages have none. Never added to. */
const NO_LISTS: ScannedList[] = [];

/**
 * Reads one JSON-RPC message from a server in one pass, without building it. Members are found under every
 * spelling of their names (`"\u0074ools"`). The whole text must be JSON.
 *
 * @returns what it found, or why the message must not be handed on: not UTF-8, not JSON (RFC 8259) or nested
 *   too deeply, or a member that was read occurs twice, so that two readers could see different things
 */
export function scanMessage(message: Uint8Array): MessageScan | ScanFault {
  if (!isUtf8(message)) return 'not UTF-8';
  const scanner = new Scanner(asBuffer(message));
  const failure = scanner.scan();
  if (failure === MEMBER_TWICE) return 'a member occurs twice';
  return failure < 0 ? 'not JSON' : scanner;
}

class Scanner implements MessageScan {
  readonly text: Buffer;
  shape: MessageScan['shape'] = 'other';
  id: MessageScan['id'] = undefined;
  method: string | null = null;
  uri: string | null = null;
  resultInside = -1;
  hasResult = false;
  hasError = false;
  isToolError = false;
  lists: ScannedList[] = NO_LISTS;
  cacheScope: ScannedValue | null = null;

  constructor(text: Buffer) {
    this.text = text;
  }

  scan(): number {
    const { text } = this;
    const start = skipSpace(text, 0);
    let end: number;
    if (text[start] === OPEN_BRACE) {
      this.shape = 'object';
      end = readObject(text, start, 0, messageReader, this);
    } else {
      if (text[start] === OPEN_BRACKET) this.shape = 'batch';
      end = skipValue(text, start, 0);
    }
    if (end < 0) return end;
    return skipSpace(text, end) === text.length ? end : NOT_JSON;
  }

  addList(list: ScannedList): void {
    if (this.lists === NO_LISTS) this.lists = [];
    this.lists.push(list);
  }
}

// The readers are made once: those of a message are not worth making for the one answer that they read.

const messageReader: MemberReader<Scanner> = {
  names: new MemberNames(MESSAGE_MEMBERS),
  member(scanner, name, at) {
    const { text } = scanner;
    const isObject = text[at] === OPEN_BRACE;
    switch (MESSAGE_MEMBERS[name] ?? '') {
      case 'params':
        return isObject ? readObject(text, at, 1, paramsReader, scanner) : skipValue(text, at, 1);
      case 'result':
        scanner.hasResult = true;
        if (!isObject) return skipValue(text, at, 1);
        scanner.resultInside = at + 1;
        return readObject(text, at, 1, resultReader, scanner);
      case 'error':
        scanner.hasError = true;
        return skipValue(text, at, 1);
      default: {
        const end = skipValue(text, at, 1);
        if (end < 0) return end;
        if (MESSAGE_MEMBERS[name] === 'id') scanner.id = scalarAt(text, at, end);
        else scanner.method = stringAt(text, at, end);
        return end;
      }
    }
  },
};

const paramsReader: MemberReader<Scanner> = {
  names: new MemberNames(['uri']),
  member(scanner, _name, at) {
    const end = skipValue(scanner.text, at, 2);
    if (end > 0) scanner.uri = stringAt(scanner.text, at, end);
    return end;
  },
};

const resultReader: MemberReader<Scanner> = {
  names: new MemberNames(RESULT_MEMBERS),
  member(scanner, name, at) {
    const kind = listKinds[name];
    if (kind !== undefined) return readList(scanner, kind, at);
    const end = skipValue(scanner.text, at, 2);
    if (RESULT_MEMBERS[name] === 'cacheScope') scanner.cacheScope = { start: at, end };
    // No other value of JSON begins so.
    else scanner.isToolError = end > 0 && scanner.text[at] === LETTER_T;
    return end;
  },
};

class NamedItem {
  readonly text: Buffer;
  name: string | null = null;

  constructor(text: Buffer) {
    this.text = text;
  }
}

const itemReaders = {
  tools: itemReader('tools'),
  prompts: itemReader('prompts'),
  resources: itemReader('resources'),
  resourceTemplates: itemReader('resourceTemplates'),
} as const satisfies Record<ListKind, MemberReader<NamedItem>>;

function itemReader(kind: ListKind): MemberReader<NamedItem> {
  return {
    names: new MemberNames([namingMember[kind]]),
    member(item, _name, at) {
      const end = skipValue(item.text, at, 4);
      if (end > 0) item.name = stringAt(item.text, at, end);
      return end;
    },
  };
}

function readList(scanner: Scanner, kind: ListKind, at: number): number {
  const { text } = scanner;
  const starts: number[] = [];
  const ends: number[] = [];
  const names: (string | null)[] = [];
  if (text[at] !== OPEN_BRACKET) {
    const end = skipValue(text, at, 2);
    const shape = end - at === 4 && text.toString('latin1', at, end) === 'null' ? 'null' : 'other';
    scanner.addList({ kind, shape, starts, ends, names });
    return end;
  }
  scanner.addList({ kind, shape: 'array', starts, ends, names });
  const reader = itemReaders[kind];
  const item = new NamedItem(text);
  return readArray(text, at, 2, (_text, start, depth) => {
    item.name = null;
    const end =
      text[start] === OPEN_BRACE
        ? readObject(text, start, depth, reader, item)
        : skipValue(text, start, depth);
    starts.push(start);
    ends.push(end);
    names.push(item.name);
    return end;
  });
}
