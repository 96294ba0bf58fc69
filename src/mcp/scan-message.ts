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
const PARAMS_MEMBERS = ['uri'];
const RESULT_MEMBERS = [...listKinds, 'cacheScope', 'isError'];
const ITEM_MEMBERS = {
  tools: [namingMember.tools],
  prompts: [namingMember.prompts],
  resources: [namingMember.resources],
  resourceTemplates: [namingMember.resourceTemplates],
} as const satisfies Record<ListKind, readonly string[]>;

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
  readonly lists: ScannedList[] = [];
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
      end = readObject(text, start, 0, {
        names: MESSAGE_MEMBERS,
        member: (name, at) => this.#messageMember(name, at),
      });
    } else {
      if (text[start] === OPEN_BRACKET) this.shape = 'batch';
      end = skipValue(text, start, 0);
    }
    if (end < 0) return end;
    return skipSpace(text, end) === text.length ? end : NOT_JSON;
  }

  #messageMember(name: number, at: number): number {
    const { text } = this;
    const isObject = text[at] === OPEN_BRACE;
    switch (MESSAGE_MEMBERS[name] ?? '') {
      case 'params':
        return isObject ? readObject(text, at, 1, this.#params()) : skipValue(text, at, 1);
      case 'result':
        this.hasResult = true;
        if (!isObject) return skipValue(text, at, 1);
        this.resultInside = at + 1;
        return readObject(text, at, 1, this.#result());
      case 'error':
        this.hasError = true;
        return skipValue(text, at, 1);
      default: {
        const end = skipValue(text, at, 1);
        if (end < 0) return end;
        if (MESSAGE_MEMBERS[name] === 'id') this.id = scalarAt(text, at, end);
        else this.method = stringAt(text, at, end);
        return end;
      }
    }
  }

  #params(): MemberReader {
    return {
      names: PARAMS_MEMBERS,
      member: (_name, at) => {
        const end = skipValue(this.text, at, 2);
        if (end > 0) this.uri = stringAt(this.text, at, end);
        return end;
      },
    };
  }

  #result(): MemberReader {
    return {
      names: RESULT_MEMBERS,
      member: (name, at) => {
        const kind = listKinds[name];
        if (kind !== undefined) return this.#list(kind, at);
        const end = skipValue(this.text, at, 2);
        if (RESULT_MEMBERS[name] === 'cacheScope') this.cacheScope = { start: at, end };
        else this.isToolError = end > 0 && this.text.toString('latin1', at, end) === 'true';
        return end;
      },
    };
  }

  #list(kind: ListKind, at: number): number {
    const { text } = this;
    const starts: number[] = [];
    const ends: number[] = [];
    const names: (string | null)[] = [];
    if (text[at] !== OPEN_BRACKET) {
      const end = skipValue(text, at, 2);
      const shape =
        end - at === 4 && text.toString('latin1', at, end) === 'null' ? 'null' : 'other';
      this.lists.push({ kind, shape, starts, ends, names });
      return end;
    }
    let itemName: string | null = null;
    const itemReader: MemberReader = {
      names: ITEM_MEMBERS[kind],
      member: (_name, valueStart) => {
        const end = skipValue(text, valueStart, 4);
        if (end > 0) itemName = stringAt(text, valueStart, end);
        return end;
      },
    };
    this.lists.push({ kind, shape: 'array', starts, ends, names });
    return readArray(text, at, 2, (_text, start, depth) => {
      itemName = null;
      const end =
        text[start] === OPEN_BRACE
          ? readObject(text, start, depth, itemReader)
          : skipValue(text, start, depth);
      starts.push(start);
      ends.push(end);
      names.push(itemName);
      return end;
    });
  }
}
