import type { McpKind } from '../../authorize/mcp-members.ts';
import type { LocatedObject } from './names.ts';
import type { Upstream, UpstreamRequest } from '../../forward/upstream.ts';
import type { RequestId } from '../message.ts';
import type { CallScope } from './call-scope.ts';
import type { ClientAnswer } from './client-answer.ts';
import type { FailedTarget } from './open-target.ts';
import type { ClientParams, FederatedSession, TargetSession } from './session-text.ts';

/** One request of a client on its way through a federation. */
export interface FederatedCall {
  readonly scope: CallScope;
  readonly base: UpstreamRequest;
  readonly answer: ClientAnswer;
  /** Of a legacy client; `null` before `initialize`, and for modern clients. */
  readonly session: FederatedSession | null;
  /** How the client introduced itself, in its session or in this request. */
  readonly client: ClientParams;
  /** Where an object is that the message names; the same each time. */
  readonly locate: (kind: McpKind, name: string) => LocatedObject | null;
  /** Whether the policies, as they are now, allow the client to subscribe to a resource. */
  readonly maySubscribe: (at: LocatedObject) => boolean;
  /** For the log's `detail`. */
  readonly note: (text: string) => void;
}

/** The way to the sessions at the targets, which differs from era to era of the client. */
export interface TargetSessions {
  /** The session at a target, opened where there is none. */
  get(call: FederatedCall, upstream: Upstream): Promise<TargetSession | FailedTarget>;
  /** The session at a target if there is one, without asking it. */
  peek(call: FederatedCall, upstream: Upstream): TargetSession | null;
  /** Opens a session anew that the target does not know any more. */
  renew(
    call: FederatedCall,
    upstream: Upstream,
    stale: TargetSession,
  ): Promise<TargetSession | FailedTarget>;
  /**
   * The id under which a request goes to a target, where the session is not the client's alone; `null`: the
   * client's own.
   */
  ownId(session: TargetSession): RequestId | null;
}

export function isFailed(session: TargetSession | FailedTarget): session is FailedTarget {
  return 'kind' in session;
}
