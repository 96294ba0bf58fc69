import type { HeaderFields } from '../accept/request-head.ts';
import type { RefusalCode } from '../errors.ts';
import type { SealOwner } from '../mcp/seal-binding.ts';

/** One target of one backend: where requests go and the connections to it. */
export interface Upstream {
  /** `namespace/name` of the Backend. */
  readonly backendName: string;
  readonly targetName: string;
  /** The path that every request gets, or `null` where the client's is kept. */
  readonly path: string | null;
  /** Host and port as the Host header has them. */
  readonly authority: string;
  /**
   * Sends a request. Never throws; what goes wrong reaches `answer.onFailure`, exactly once, also after
   * `onHead`.
   */
  request(request: UpstreamRequest, answer: UpstreamAnswer): UpstreamCall;
  /** Lets running answers finish and closes the connections; requests that come later get one of their own. */
  close(): void;
}

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: HeaderFields;
  /** Where the upstream may keep what it wrote of these three, for requests that have the same. */
  readonly written?: WrittenHead | undefined;
  readonly body: Buffer | null;
  /** To whom the ids belong that an MCP server's answer brings. */
  readonly owner: SealOwner;
  /** True where the caller bounds the wait for the answer itself, so that no other limit applies. */
  readonly hasTimeout: boolean;
}

/** The text of a request's head. It is that of no other method, path and list of fields than it was made of. */
export class WrittenHead {
  method = '';
  path = '';
  headers: HeaderFields | null = null;
  text = '';
}

/** Takes the answer of an upstream, piece by piece. */
export interface UpstreamAnswer {
  /** The final status and header fields; interim answers (1xx) are not reported. */
  onHead(status: number, headers: HeaderFields): void;
  /**
   * @param piece its memory is used again as soon as this returns: what has to last must be copied
   * @param isLast true only where `onEnd` follows before anything else, and before the memory is used again, so that
   *   nothing has to be copied until then; left out: nobody knows
   * @returns false to stop reading until {@link UpstreamCall.resume}; the end of the answer may be reported
   *   nevertheless
   */
  onData(piece: Uint8Array, isLast?: boolean): boolean;
  onEnd(): void;
  /**
   * @param isUnsent true only where nothing of the request has left this process, so that another server may
   *   be asked; left out: nobody knows
   */
  onFailure(code: RefusalCode, detail: string, isUnsent?: boolean): void;
}

/** `timeout`: nobody waits any longer; `gone`, also where it is left out: nobody is there any more. */
export type AbortReason = 'timeout' | 'gone';

export interface UpstreamCall {
  /** Ends the request at once, whether or not its answer has begun; nothing is reported after this. */
  abort(reason?: AbortReason): void;
  /** Goes on reading after `onData` returned false. */
  resume(): void;
}
