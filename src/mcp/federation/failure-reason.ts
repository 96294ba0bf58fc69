/** Why a target did not do its part, in the few words of a metric's label. */
export type FailureReason =
  | 'timeout'
  | 'unreachable'
  | 'session_expired'
  | 'http_status'
  | 'jsonrpc_error'
  | 'stream_ended'
  | 'client_gone'
  | 'unreadable';

const BEGINNINGS: readonly (readonly [string, FailureReason])[] = [
  ['no answer within', 'timeout'],
  ['UPSTREAM_TIMEOUT', 'timeout'],
  ['UPSTREAM_ANSWER_UNREADABLE', 'unreadable'],
  ['UPSTREAM_PROTOCOL', 'unreadable'],
  ['UPSTREAM', 'unreachable'],
  ['its session', 'session_expired'],
  ['HTTP ', 'http_status'],
  ['JSON-RPC error', 'jsonrpc_error'],
  ['its stream ended', 'stream_ended'],
  ['the client is gone', 'client_gone'],
];

/**
 * The label for a reason in the words of the log, of which there are as many as there are status codes, error codes
 * and addresses; all that is no other reason means an answer that can't be read.
 */
export function failureReason(words: string): FailureReason {
  return BEGINNINGS.find(([beginning]) => words.startsWith(beginning))?.[1] ?? 'unreadable';
}
