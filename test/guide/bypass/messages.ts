/** The plain requests for what is secret, in both eras, and the headers that go with them. */
import type { Field, Prey } from './probe.ts';

export type Era = 'legacy' | 'modern';
export const eras: readonly Era[] = ['legacy', 'modern'];

export const MODERN = '2026-07-28';
export const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"${MODERN}","io.modelcontextprotocol/clientCapabilities":{}}`;

/** A request written out, so that a probe can change any octet of it. */
export function message(era: Era, method: string, params: string, id = '7'): string {
  const all = era === 'legacy' ? params : [params, meta].filter((part) => part !== '').join(',');
  return `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":{${all}}}`;
}

export const secretCall = (era: Era): string =>
  message(era, 'tools/call', '"name":"secret","arguments":{}');
export const echoCall = (era: Era): string =>
  message(era, 'tools/call', '"name":"echo","arguments":{}');

/** What a modern client sends besides; a legacy one sends none of it. */
export function headersFor(
  era: Era,
  method = 'tools/call',
  name: string | null = 'secret',
): Field[] {
  if (era === 'legacy') return [];
  return [
    ['mcp-protocol-version', MODERN],
    ['mcp-method', method],
    ...(name === null ? [] : [['mcp-name', name] as const]),
  ];
}

export interface Plain {
  readonly method: string;
  readonly params: string;
  readonly name: string | null;
}

/** The honest request for each kind of prey. */
export const plain: Readonly<Record<Prey, Plain>> = {
  tool: { method: 'tools/call', params: '"name":"secret","arguments":{}', name: 'secret' },
  prompt: { method: 'prompts/get', params: '"name":"secret"', name: 'secret' },
  resource: {
    method: 'resources/read',
    params: '"uri":"test://secret/x"',
    name: 'test://secret/x',
  },
  completion: {
    method: 'completion/complete',
    params: '"ref":{"type":"ref/prompt","name":"secret"},"argument":{"name":"a","value":"b"}',
    name: null,
  },
  subscription: { method: 'resources/subscribe', params: '"uri":"test://secret/x"', name: null },
  list: { method: 'tools/list', params: '', name: null },
};

export function plainMessage(prey: Prey, era: Era = 'legacy'): string {
  return message(era, plain[prey].method, plain[prey].params);
}
