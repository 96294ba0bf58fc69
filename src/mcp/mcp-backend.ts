import type { HeaderFields } from '../accept/request-head.ts';
import type { McpAuthorizer } from '../authorize/mcp-authorizer.ts';
import type { Exchange } from '../exchange.ts';
import type { UpstreamRequest } from '../forward/upstream.ts';
import type { McpKind } from '../authorize/mcp-members.ts';
import type { Federation } from './federation/federation.ts';
import type { LocatedObject } from './federation/names.ts';
import type { SealOwner } from './seal-binding.ts';
import type { OnDeny } from './denial-answer.ts';
import type { Sealer } from './seal.ts';
import { sealSession } from './session.ts';

/** What is known of a backend that speaks MCP. */
export interface McpBackendParts {
  /** `namespace/name`; sealed ids are bound to it. */
  readonly name: string;
  /** The name of its target, as rules see it; of several the first. */
  readonly target: string;
  /** Makes several targets one server; `null` where there is one. */
  readonly federation: Federation | null;
  /** The request as it would be forwarded, for what has to be asked first; `null` where it can't be. */
  readonly requestFor: (exchange: Exchange) => UpstreamRequest | null;
  /** `null` where no policy targets the backend: every method is allowed. */
  readonly authorizer: McpAuthorizer | null;
  /** `namespace/name` of the first policy, for denials that no rule decided. */
  readonly firstPolicy: string;
  readonly onDeny: OnDeny;
  /** By `namespace/name` of the policies that say so themselves. */
  readonly onDenyByPolicy: ReadonlyMap<string, OnDeny>;
  /** Told of the names in lists of tools that a target sent. */
  readonly onTools: (backend: string, target: string, names: readonly string[]) => void;
  readonly sealer: Sealer;
}

/** A backend that speaks MCP, as the gate treats it. */
export interface McpBackend extends McpBackendParts {
  /** Whether a denial may be answered by the upstream, under a name that nothing has. */
  readonly mayHide: boolean;
  /** Seals the session id in the header fields of an answer, in place. */
  sealSession(exchange: Exchange, headers: HeaderFields): void;
  /** Whose object a name means that this owner uses, for calls and lists alike; `null`: no target has it. */
  locate(owner: SealOwner, kind: McpKind, name: string): LocatedObject | null;
}

/** Makes the backend of its parts. */
export function createMcpBackend(parts: McpBackendParts): McpBackend {
  return {
    ...parts,
    mayHide: parts.onDeny === 'hide' || [...parts.onDenyByPolicy.values()].includes('hide'),
    locate: (owner, kind, name) =>
      parts.federation === null
        ? { target: parts.target, name }
        : parts.federation.locate(owner, kind, name),
    sealSession: (exchange, headers) => sealSession(exchange, parts, headers),
  };
}
