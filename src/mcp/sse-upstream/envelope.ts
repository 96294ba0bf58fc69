import { isUtf8 } from 'node:buffer';
import {
  NOT_JSON,
  OPEN_BRACE,
  readObject,
  scalarAt,
  skipSpace,
  skipValue,
  stringAt,
  type MemberReader,
} from '../json-octets.ts';
import { asBuffer } from '../growing-bytes.ts';
import { MemberNames } from '../member-names.ts';
import { PROTOCOL_VERSION } from '../protocol-version.ts';

/** A string or a number of a message, and where it stands. Indexes are octets of the message. */
export interface Token {
  readonly value: string | number;
  readonly start: number;
  readonly end: number;
}

/** What of a JSON-RPC message decides where it goes. The rest is not looked at. */
export interface Envelope {
  readonly text: Buffer;
  readonly kind: 'request' | 'notification' | 'response';
  /** The empty string for a response. */
  readonly method: string;
  /** `null` for a notification, and for a response that names no request. */
  readonly id: Token | null;
  readonly isError: boolean;
  /** `params.requestId`, of `notifications/cancelled`. */
  readonly cancelledId: Token | null;
  /** `params.progressToken`, of `notifications/progress`. */
  readonly progressToken: Token | null;
  /** `params._meta.progressToken`, with which a request asks for notifications of its progress. */
  readonly requestedProgress: Token | null;
  /** `params._meta` names a protocol version (MCP 2026-07-28). */
  readonly isModern: boolean;
}

const MEMBERS = ['id', 'method', 'params', 'result', 'error'];
const PARAMS = ['requestId', 'progressToken', '_meta'];
const META = ['progressToken', PROTOCOL_VERSION];
const MEMBER_NAMES = new MemberNames(MEMBERS);
const PARAM_NAMES = new MemberNames(PARAMS);
const META_NAMES = new MemberNames(META);

/**
 * Reads the envelope of one JSON-RPC message, in one pass over its octets, under every spelling of the
 * members' names.
 *
 * @returns `null` for what is no single JSON-RPC message: not UTF-8 or not JSON, a batch, a member that is
 *   read twice, a method that is no string, a request whose id is neither string nor number, a method beside
 *   a result, or none of them
 */
export function readEnvelope(message: Uint8Array): Envelope | null {
  if (!isUtf8(message)) return null;
  const reading = new Reading(asBuffer(message));
  return reading.read() ? reading : null;
}

/** One key for each id or progress token, so that `1` and `"1"` are two. */
export function tokenKey({ value }: Token): string {
  return typeof value === 'number' ? `#${value}` : value.replace(/^[#"]/, '"$&');
}

class Reading implements Envelope {
  readonly text: Buffer;
  kind: Envelope['kind'] = 'response';
  method = '';
  id: Token | null = null;
  isError = false;
  cancelledId: Token | null = null;
  progressToken: Token | null = null;
  requestedProgress: Token | null = null;
  isModern = false;
  #hasId = false;
  #hasMethod = false;
  #hasResult = false;

  constructor(text: Buffer) {
    this.text = text;
  }

  read(): boolean {
    const { text } = this;
    const start = skipSpace(text, 0);
    if (text[start] !== OPEN_BRACE) return false;
    const end = readObject(text, start, 0, this.#message, null);
    if (end < 0 || skipSpace(text, end) !== text.length) return false;
    const hasOutcome = this.#hasResult || this.isError;
    if (this.#hasMethod) {
      this.kind = this.#hasId ? 'request' : 'notification';
      return !hasOutcome && this.#hasId === (this.id !== null);
    }
    return this.#hasResult !== this.isError;
  }

  readonly #message: MemberReader<null> = {
    names: MEMBER_NAMES,
    member: (_reading, name, at) => {
      const { text } = this;
      if (MEMBERS[name] === 'params' && text[at] === OPEN_BRACE) {
        return readObject(text, at, 1, this.#params, null);
      }
      const end = skipValue(text, at, 1);
      if (end < 0) return end;
      switch (MEMBERS[name] ?? '') {
        case 'id':
          this.#hasId = true;
          this.id = tokenAt(text, at, end);
          break;
        case 'method': {
          const method = stringAt(text, at, end);
          if (method === null) return NOT_JSON;
          this.#hasMethod = true;
          this.method = method;
          break;
        }
        case 'result':
          this.#hasResult = true;
          break;
        case 'error':
          this.isError = true;
          break;
      }
      return end;
    },
  };

  readonly #params: MemberReader<null> = {
    names: PARAM_NAMES,
    member: (_reading, name, at) => {
      const { text } = this;
      if (PARAMS[name] === '_meta' && text[at] === OPEN_BRACE) {
        return readObject(text, at, 2, this.#meta, null);
      }
      const end = skipValue(text, at, 2);
      if (end < 0) return end;
      if (PARAMS[name] === 'requestId') this.cancelledId = tokenAt(text, at, end);
      else if (PARAMS[name] === 'progressToken') this.progressToken = tokenAt(text, at, end);
      return end;
    },
  };

  readonly #meta: MemberReader<null> = {
    names: META_NAMES,
    member: (_reading, name, at) => {
      const end = skipValue(this.text, at, 3);
      if (end < 0) return end;
      if (META[name] === PROTOCOL_VERSION) this.isModern = true;
      else this.requestedProgress = tokenAt(this.text, at, end);
      return end;
    },
  };
}

function tokenAt(text: Buffer, start: number, end: number): Token | null {
  const value = scalarAt(text, start, end);
  return value === undefined || value === null ? null : { value, start, end };
}
