import assert from 'node:assert/strict';
import { checkHead } from '../../../src/accept/check-head.ts';
import { normaliseHost } from '../../../src/accept/host.ts';
import { normalisePath } from '../../../src/accept/request-path.ts';
import { Refusal } from '../../../src/errors.ts';
import { answerHeaders } from '../../../src/forward/answer-headers.ts';
import { HOP_BY_HOP } from '../../../src/forward/hop-by-hop.ts';
import { compileAllowedOrigins } from '../../../src/route/allowed-origins.ts';
import { createLazyQuery } from '../../../src/route/match-conditions.ts';
import type { FuzzTarget } from '../target.ts';

const requestPath: FuzzTarget = {
  name: 'request-path',
  seeds: ['/mcp', '/a/%61/b', '/caf%C3%A9', '/a%20b/c', '/closed;x=1', '/a/../b'],
  dictionary: ['/', '.', '..', '%2e', '%2F', '%5c', '\\', '%00', '%25', ';', '//', '%c0%af', '#'],
  check(input) {
    const result = normalisePath(input);
    if (!result.ok) return;
    const { path } = result;
    assert.match(path, /^\/[!-~]*$/);
    assert.deepEqual(normalisePath(path), result, 'one spelling only');
    // However often a server decodes, whatever it resolves: it stays where it is.
    let read = path;
    for (let round = 0; round < 3; round += 1) {
      const segments = read.split('/');
      assert.ok(!segments.includes('..') && !segments.includes('.'), read);
      assert.doesNotMatch(read, /\/\/|\\|;|[\0-\x1f]/);
      const next = decodeURIComponent(read.replaceAll(/%(?![0-9A-Fa-f]{2})/g, '%25'));
      if (next === read) break;
      assert.equal(next.split('/').length, segments.length);
      read = next;
    }
  },
};

const host: FuzzTarget = {
  name: 'host',
  seeds: ['www.example.com', 'example.com:8080', '[::1]:80', '127.0.0.1', 'a.b.', '0x7f.1'],
  dictionary: ['.', ':', '[', ']', '@', ',', '%', '/', 'xn--', '127.1', '0x', '\0', ' ', '-'],
  check(input) {
    const result = normaliseHost(input);
    if (result === null) return;
    assert.match(result.host, /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/);
    assert.deepEqual(normaliseHost(result.host), { host: result.host, port: null });
  },
};

const limits = {
  maxHeaderFields: 90,
  maxHeaderBytes: 65_536,
  maxBodyBytes: 1000,
  maxTargetBytes: 99,
};

const requestHead: FuzzTarget = {
  name: 'request-head',
  seeds: [
    'POST\nhost\nx\ncontent-length\n12',
    'POST\nhost\nx\ntransfer-encoding\nchunked',
    'GET\nhost\na\nhost\nb',
  ],
  dictionary: ['\n', 'content-length', 'transfer-encoding', 'chunked', '0', '-1', '+1', 'TRACE'],
  check(input) {
    const [method = '', ...headers] = input.split('\n');
    if (headers.length % 2 === 1) headers.push('');
    const result = checkHead(method, 10, headers, limits);
    if (result instanceof Refusal) return;
    const values = (name: string): string[] =>
      headers.filter((_value, index) => index % 2 === 1 && headers[index - 1] === name);
    const lengths = values('content-length');
    const codings = values('transfer-encoding');
    assert.ok(lengths.length <= 1 && codings.length <= 1);
    for (const length of lengths) assert.match(length, /^\d{1,15}$/);
    for (const coding of codings) assert.match(coding, /^chunked$/i);
    assert.match(method, /^[A-Z][A-Z-]*$/);
    assert.ok(method !== 'CONNECT' && method !== 'TRACE');
  },
};

const answerFields: FuzzTarget = {
  name: 'answer-headers',
  seeds: ['connection\nx-a, close\nx-a\n1\ncontent-length\n3', 'content-type\ntext/event-stream'],
  dictionary: ['\n', 'connection', 'keep-alive', ',', 'trailer', 'content-length', 'upgrade', 'te'],
  check(input) {
    const fields = input.toLowerCase().split('\n');
    if (fields.length % 2 === 1) fields.push('');
    const { headers, contentLength } = answerHeaders(fields, false);
    for (let index = 0; index < headers.length; index += 2) {
      assert.ok(!HOP_BY_HOP.has(headers[index] ?? ''));
    }
    assert.ok(contentLength === null || Number.isSafeInteger(contentLength));
  },
};

const origins = compileAllowedOrigins(['https://*.example.com', 'http://localhost:3000']);
const origin: FuzzTarget = {
  name: 'origin',
  seeds: ['https://a.example.com', 'http://localhost:3000', 'null', 'https://example.com.evil'],
  dictionary: ['https://', '.example.com', '@', '/', ':443', '%2e', '*', 'null', '?', '#'],
  check(input) {
    if (!origins.includes(input)) return;
    const { origin: read } = new URL(input);
    assert.ok(read === 'http://localhost:3000' || /^https:\/\/.+\.example\.com$/.test(read), read);
  },
};

const query: FuzzTarget = {
  name: 'query',
  seeds: ['a=b&c=d', 'a=%20&a=%zz', '&&=&a'],
  dictionary: ['&', '=', '%', '+', ';', '%00', 'a'],
  check(input) {
    const read = createLazyQuery(input);
    const value = read.get('a') ?? null;
    assert.ok(value === null || typeof value === 'string');
  },
};

export const httpTargets: readonly FuzzTarget[] = [
  ...[requestPath, host, requestHead, answerFields, origin, query],
];
