import { NOT_PLAIN } from '../json/plain-value.ts';
import { isJsonObject, readJson, type JsonObject } from '../json/read-json.ts';
import type { McpEra, McpRequest, McpTool, RequestId } from './message.ts';
import { messageLimits } from './message-limits.ts';

const NO_ARGUMENTS: JsonObject = Object.freeze({});

/** A `tools/call` whose params are built when somebody asks for them: most often nobody does. */
export class PlainCall implements McpRequest {
  readonly kind = 'request';
  readonly era: McpEra;
  readonly id: RequestId;
  readonly method = 'tools/call';
  readonly meta: JsonObject | null;
  readonly asksForTask = false;
  readonly protocolVersion: string | null;
  readonly object: McpTool;
  readonly #body: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #params: JsonObject | null = null;

  /** @param start where in `body` the params begin; `end` is behind them */
  constructor(
    id: RequestId,
    meta: JsonObject | null,
    protocolVersion: string | null,
    object: McpTool,
    body: Uint8Array,
    start: number,
    end: number,
  ) {
    this.era = protocolVersion === null ? 'legacy' : 'modern';
    this.id = id;
    this.meta = meta;
    this.protocolVersion = protocolVersion;
    this.object = object;
    this.#body = body;
    this.#start = start;
    this.#end = end;
  }

  get params(): JsonObject {
    this.#params ??= buildObject(this.#body, this.#start, this.#end);
    return this.#params;
  }
}

/** A tool whose arguments are built when somebody asks for them. */
export class PlainTool implements McpTool {
  readonly type = 'tool';
  readonly name: string;
  readonly #body: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #arguments: JsonObject | null = null;

  /**
   * @param start where in `body` the arguments begin
   * @param end behind them, or {@link NOT_PLAIN} where there are none
   */
  constructor(name: string, body: Uint8Array, start: number, end: number) {
    this.name = name;
    this.#body = body;
    this.#start = start;
    this.#end = end;
  }

  get arguments(): JsonObject {
    if (this.#end === NOT_PLAIN) return NO_ARGUMENTS;
    this.#arguments ??= buildObject(this.#body, this.#start, this.#end);
    return this.#arguments;
  }
}

/**
 * Builds an object whose text was found in a body, with all the checks of the strict reader.
 *
 * @throws Error where the octets are not those any more that were read; whoever decides has to deny then
 */
export function buildObject(body: Uint8Array, start: number, end: number): JsonObject {
  const { value } = readJson(body.subarray(start, end), messageLimits);
  if (!isJsonObject(value)) throw new Error('the body of a message has changed');
  return value;
}
