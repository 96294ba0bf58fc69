import { randomUUID } from 'node:crypto';
import { isJsonObject, readJson } from '../../../json/read-json.ts';
import { findValues, type ValueTree } from '../../find-values.ts';
import type { FederatedCall } from '../federated-call.ts';
import type { FederationParts } from '../federation-parts.ts';

/** What a modern server wants to know before it goes on (MCP 2026-07-28, `input_required`). */
export interface WantedInput {
  readonly requests: readonly {
    readonly key: string;
    readonly method: string;
    /** JSON. */
    readonly params: string;
  }[];
  /** JSON; `null` where the server keeps its own. */
  readonly requestState: string | null;
}

const LIMITS = Object.freeze({ maxDepth: 64, maxValues: 50_000 });
const MAX_REQUESTS = 16;
/** What a server may ask a client in the legacy era. */
const ASKABLE: ReadonlySet<string> = new Set([
  'elicitation/create',
  'sampling/createMessage',
  'roots/list',
]);

/**
 * Reads what a response wants to know.
 *
 * @returns `null` for a response that is complete, `unreadable` for one that wants what no legacy client can answer
 */
export function readWantedInput(response: Buffer): WantedInput | 'unreadable' | null {
  if (!response.includes('input_required')) return null;
  const { value } = readJson(response, LIMITS);
  const result = isJsonObject(value) ? value.result : undefined;
  if (!isJsonObject(result) || result.resultType !== 'input_required') return null;
  const wanted = isJsonObject(result.inputRequests) ? result.inputRequests : {};
  const keys = Object.keys(wanted);
  if (keys.length > MAX_REQUESTS) return 'unreadable';
  const requests: WantedInput['requests'][number][] = [];
  for (const key of keys) {
    const one = wanted[key];
    const method = isJsonObject(one) ? one.method : undefined;
    if (typeof method !== 'string' || !ASKABLE.has(method)) return 'unreadable';
    const path = ['result', 'inputRequests', key, 'params'];
    requests.push({ key, method, params: textAt(response, path) ?? '{}' });
  }
  return { requests, requestState: textAt(response, ['result', 'requestState']) };
}

/**
 * Asks a legacy client, on the stream of its own request, and waits for its answers, at whichever worker they come.
 *
 * @returns the members to send with the request again, in JSON; `null` where the client refused to answer. Never
 *   settles where the client is gone
 */
export function askClient(
  parts: FederationParts,
  call: FederatedCall,
  target: string,
  { requests, requestState }: WantedInput,
): Promise<string | null> {
  const state = requestState === null ? '' : `,"requestState":${requestState}`;
  return new Promise((resolve) => {
    const results = new Map<string, string>();
    const settle = (): void => {
      if (results.size < requests.length) return;
      const members = [...results].map(([key, result]) => `${JSON.stringify(key)}:${result}`);
      resolve(`"inputResponses":{${members.join()}}${state}`);
    };
    for (const { key, method, params } of requests) {
      const wait = randomUUID();
      const id = parts.ids.seal(call.base.owner, 'input', { target, raw: wait });
      parts.inputs.wait(wait, (response) => {
        const result = textAt(Buffer.from(response), ['result']);
        if (result === null) resolve(null);
        else results.set(key, result);
        settle();
      });
      call.scope.onOver(() => parts.inputs.forget(wait));
      const text = `{"jsonrpc":"2.0","id":"${id ?? ''}","method":"${method}","params":${params}}`;
      call.answer.event(Buffer.from(text));
    }
    settle();
  });
}

function textAt(text: Buffer, path: readonly string[]): string | null {
  const tree = path.reduceRight<ValueTree>((inner, name) => ({ members: { [name]: inner } }), {
    label: 'value',
  });
  const found = findValues(text, tree);
  const [value] = typeof found === 'number' ? [] : found;
  return value === undefined ? null : text.toString('utf8', value.start, value.end);
}
