import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { PASS, type Verdict } from '../verdict.ts';
import { createBucketTable } from './bucket-table.ts';
import { addressKey, principalKey } from './caller-key.ts';
import { jsonRpcAnswer } from './json-rpc-answer.ts';
import { createOpenCounts } from './open-counts.ts';
import type { Overload } from './overload.ts';
import { rateHeaders } from './rate-headers.ts';

/** All of one worker. 0: no limit. */
export interface AdmissionLimits {
  readonly maxRequests: number;
  readonly maxRequestsPerAddress: number;
  readonly maxRequestsPerPrincipal: number;
  readonly maxStreamsPerPrincipal: number;
  /** Requests a second of one client address, in the long run. */
  readonly addressRate: number;
  /** Requests of one client address at once; 0: as many as in a second. */
  readonly addressBurst: number;
}

/** The stages that ask whether there is room, and what they have counted. */
export interface Admission {
  /** Room for anybody: what is asked before a request has cost anything. */
  readonly admit: (exchange: Exchange) => Verdict;
  /** Room for this caller, now that it is known who it is. */
  readonly admitPrincipal: (exchange: Exchange) => Verdict;
  /** Room for a stream, before the upstream is asked for it. */
  readonly admitStream: (exchange: Exchange) => Verdict;
  /** Must be called once for every exchange that is over, admitted or not. */
  leave(exchange: Exchange): void;
  readonly state: () => AdmissionState;
}

/** For metrics. */
export interface AdmissionState {
  readonly requests: number;
  /** Keys that something is counted under now. */
  readonly addresses: number;
  readonly principals: number;
  readonly streamPrincipals: number;
  /** Client addresses whose rate is remembered. */
  readonly addressBuckets: number;
}

/** About 10 MiB. */
const maxAddressBuckets = 65_536;

const soon = ['retry-after', '1'] as const;

/**
 * Makes the stages of admission. Every count is one step, whatever the number of callers, and is given back
 * when the exchange is over.
 *
 * - `admit`: OVERLOADED (503), ADDRESS_RATE_EXCEEDED (429), REQUESTS_EXCEEDED (503),
 *   ADDRESS_REQUESTS_EXCEEDED (429)
 * - `admitPrincipal`: OVERLOADED (503) for whom nobody vouches, PRINCIPAL_REQUESTS_EXCEEDED (429)
 * - `admitStream`: PRINCIPAL_STREAMS_EXCEEDED (429) for a request that asks for a stream which lasts: a GET that
 *   accepts events, or `subscriptions/listen`. Answers to other requests end with them.
 *
 * @param monotonicNow milliseconds that only grow
 */
export function createAdmission(
  limits: AdmissionLimits,
  overload: Pick<Overload, 'refuse'>,
  monotonicNow: () => number,
): Admission {
  let requests = 0;
  const byAddress = createOpenCounts(limits.maxRequestsPerAddress);
  const byPrincipal = createOpenCounts(limits.maxRequestsPerPrincipal);
  const streams = createOpenCounts(limits.maxStreamsPerPrincipal);
  const rate = {
    maxTokens: limits.addressBurst === 0 ? limits.addressRate : limits.addressBurst,
    tokensPerFill: 1,
    fillIntervalMs: 1000 / limits.addressRate,
  };
  const rates = limits.addressRate === 0 ? null : createBucketTable([rate], maxAddressBuckets);
  const knowsAddresses = rates !== null || limits.maxRequestsPerAddress > 0;

  function admit(exchange: Exchange): Verdict {
    if (exchange.isRelayed) return PASS;
    const overloaded = overload.refuse('any');
    if (overloaded !== null) return overloaded;
    const address = knowsAddresses ? addressKey(exchange.head.remoteAddress) : '';
    if (rates !== null) {
      const verdict = rates.take(address, monotonicNow());
      if (!verdict.allowed) {
        return new Refusal('ADDRESS_RATE_EXCEEDED', { headers: rateHeaders(verdict) });
      }
    }
    if (limits.maxRequests > 0 && requests >= limits.maxRequests) {
      return new Refusal('REQUESTS_EXCEEDED', { headers: soon });
    }
    if (limits.maxRequestsPerAddress > 0) {
      if (!byAddress.enter(address)) {
        return new Refusal('ADDRESS_REQUESTS_EXCEEDED', { headers: soon });
      }
      exchange.countedAddress = address;
    }
    requests += 1;
    exchange.admitted = true;
    return PASS;
  }

  function admitPrincipal(exchange: Exchange): Verdict {
    const { principal } = exchange;
    if (exchange.isRelayed) return PASS;
    if (principal === null) {
      const isOpen = exchange.rule === null || exchange.rule.authenticators.length === 0;
      return overload.refuse(isOpen ? 'open-route' : 'anonymous') ?? PASS;
    }
    if (limits.maxRequestsPerPrincipal === 0) return PASS;
    const key = principalKey(principal);
    if (!byPrincipal.enter(key)) {
      return new Refusal('PRINCIPAL_REQUESTS_EXCEEDED', { headers: soon });
    }
    exchange.countedPrincipal = key;
    return PASS;
  }

  function admitStream(exchange: Exchange): Verdict {
    const { principal, message } = exchange;
    // The worker that has the client counts it, and sees its end.
    if (exchange.isRelayed) return PASS;
    if (principal === null || limits.maxStreamsPerPrincipal === 0) return PASS;
    if (!asksForStream(exchange)) return PASS;
    const key = principalKey(principal);
    if (!streams.enter(key)) {
      const answer = jsonRpcAnswer(message, 'too many event streams of this caller');
      return new Refusal('PRINCIPAL_STREAMS_EXCEEDED', {
        headers: soon,
        ...(answer === null ? {} : { answer }),
      });
    }
    exchange.countedStream = key;
    return PASS;
  }

  return {
    admit,
    admitPrincipal,
    admitStream,
    leave(exchange) {
      if (!exchange.admitted) return;
      exchange.admitted = false;
      requests -= 1;
      if (exchange.countedAddress !== null) byAddress.leave(exchange.countedAddress);
      if (exchange.countedPrincipal !== null) byPrincipal.leave(exchange.countedPrincipal);
      if (exchange.countedStream !== null) streams.leave(exchange.countedStream);
    },
    state: () => ({
      requests,
      addresses: byAddress.size,
      principals: byPrincipal.size,
      streamPrincipals: streams.size,
      addressBuckets: rates?.size ?? 0,
    }),
  };
}

function asksForStream({ head, message }: Exchange): boolean {
  if (message?.kind === 'request') return message.method === 'subscriptions/listen';
  if (head.method !== 'GET') return false;
  const { headers } = head;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index] === 'accept' && accepts(headers[index + 1] ?? '')) return true;
  }
  return false;
}

function accepts(field: string): boolean {
  return field.toLowerCase().includes('text/event-stream');
}
