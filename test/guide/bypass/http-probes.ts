/** What surrounds a body: codings, media types, framing, headers that lie, methods, paths. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { echoCall, eras, headersFor, MODERN, secretCall } from './messages.ts';
import {
  byLength,
  bytes,
  probe,
  request,
  type Aim,
  type Field,
  type Framing,
  type Post,
  type Probe,
} from './probe.ts';

const call = secretCall('legacy');
const raw = bytes(call);

const codings: readonly (readonly [name: string, coding: readonly string[], body: Uint8Array])[] = [
  ['gzip', ['gzip'], gzipSync(raw)],
  ['gzip in name alone', ['gzip'], raw],
  ['gzip that is not announced', [], gzipSync(raw)],
  ['gzip in capitals', ['GZIP'], gzipSync(raw)],
  ['gzip by its old name', ['x-gzip'], gzipSync(raw)],
  ['gzip twice', ['gzip, gzip'], gzipSync(gzipSync(raw))],
  ['gzip behind an allowed call', ['gzip'], Buffer.concat([gzipSync(echoCall('legacy')), gzipSync(raw)])],
  ['deflate', ['deflate'], deflateSync(raw)],
  ['deflate without its frame', ['deflate'], deflateRawSync(raw)],
  ['deflate in name alone', ['deflate'], raw],
  ['brotli', ['br'], brotliCompressSync(raw)],
  ['brotli in name alone', ['br'], raw],
  ['identity', ['identity'], raw],
  ['identity in capitals', ['IDENTITY'], raw],
  ['identity and gzip', ['identity, gzip'], gzipSync(raw)],
  ['identity twice', ['identity, identity'], raw],
  ['two fields', ['identity', 'gzip'], gzipSync(raw)],
  ['two fields, the other way round', ['gzip', 'identity'], raw],
  ['zstd in name alone', ['zstd'], raw],
  ['compress in name alone', ['compress'], raw],
  ['an empty coding', [''], raw],
  ['a coding that nobody knows', ['aws-chunked'], raw],
]; // prettier-ignore

const types: readonly (readonly [name: string, types: readonly string[], body?: Uint8Array])[] = [
  ['in another case', ['Application/JSON']],
  ['in UTF-8', ['application/json; charset=utf-8']],
  ['in UTF-8, in capitals and quotes', ['application/json;CHARSET="UTF-8"']],
  ['in UTF-16', ['application/json; charset=utf-16']],
  ['in UTF-16, truly', ['application/json; charset=utf-16le'], Buffer.from(call, 'utf16le')],
  ['in UTF-7', ['application/json; charset=utf-7']],
  ['in UTF-7, truly', ['application/json; charset=utf-7'], bytes(call.replaceAll('"', '+ACI-'))],
  ['in Latin-1', ['application/json; charset=iso-8859-1']],
  ['in EBCDIC', ['application/json; charset=ibm037']],
  ['in two charsets', ['application/json; charset=utf-8; charset=utf-16']],
  ['with a parameter that nobody knows', ['application/json; version=2']],
  ['with a boundary', ['application/json; boundary=x']],
  ['with an empty parameter', ['application/json;']],
  ['with a comma', ['application/json, text/plain']],
  ['that is missing', []],
  ['that is empty', ['']],
  ['twice', ['application/json', 'application/json']],
  ['twice, and different', ['application/json', 'text/plain']],
  ['twice, and different, the other way round', ['text/plain', 'application/json']],
  ['of plain text', ['text/plain']],
  ['of JSON text', ['text/json']],
  ['of a form', ['application/x-www-form-urlencoded']],
  ['of JSON-RPC', ['application/json-rpc']],
  ['with a suffix', ['application/vnd.mcp+json']],
  ['of JSON lines', ['application/jsonl']],
  ['of a sequence', ['application/json-seq']],
  ['with more behind it', ['application/jsonx']],
  ['with more before it', ['xapplication/json']],
  ['of any kind', ['*/*']],
  ['of octets', ['application/octet-stream']],
  ['of an event stream', ['text/event-stream']],
  ['of parts', ['multipart/form-data; boundary=x'], bytes(`--x\r\ncontent-disposition: form-data; name="a"\r\ncontent-type: application/json\r\n\r\n${call}\r\n--x--\r\n`)],
  ['of parts, with JSON alone', ['multipart/form-data; boundary=x']],
]; // prettier-ignore

const chunk = (octets: Uint8Array, end = '') =>
  Buffer.concat([bytes(`${octets.length.toString(16)}${end}\r\n`), octets, bytes('\r\n')]);
const chunks = (sizeBytes: number, end = ''): Framing => {
  return (body) => {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < body.length; at += sizeBytes) {
      parts.push(chunk(body.subarray(at, at + sizeBytes), end));
    }
    return {
      fields: [['transfer-encoding', 'chunked']],
      octets: Buffer.concat([...parts, bytes('0\r\n\r\n')]),
    };
  };
};
const framedAs = (...fields: readonly Field[]): Framing => {
  return (body) => ({ fields, octets: body });
};
const length = String(raw.length);
const chunked = chunks(1_000_000)(raw).octets;

const framings: readonly (readonly [name: string, post: Partial<Post>])[] = [
  ['in one chunk', { framing: chunks(1_000_000) }],
  ['in chunks of one octet', { framing: chunks(1) }],
  ['in chunks with an extension', { framing: chunks(16, ';a="b"') }],
  ['in chunks that name a length too', { body: chunked, framing: framedAs(['transfer-encoding', 'chunked'], ['content-length', '4']) }],
  ['in chunks by another name', { body: chunked, framing: framedAs(['transfer-encoding', 'xchunked'], ['content-length', length]) }],
  ['in chunks in capitals', { body: chunked, framing: framedAs(['transfer-encoding', 'CHUNKED']) }],
  ['in chunks twice', { body: chunked, framing: framedAs(['transfer-encoding', 'chunked, chunked']) }],
  ['in chunks and identity', { body: chunked, framing: framedAs(['transfer-encoding', 'identity, chunked']) }],
  ['in chunks, in a folded field', { body: chunked, framing: framedAs(['x-a', 'b\r\n transfer-encoding: chunked'], ['content-length', String(chunked.length)]) }],
  ['in chunks, with a space before the colon', { body: chunked, framing: framedAs(['transfer-encoding ', 'chunked'], ['content-length', String(chunked.length)]) }],
  ['in chunks, with a trailer', { body: chunked, framing: (body) => ({ fields: [['transfer-encoding', 'chunked']], octets: Buffer.concat([body.subarray(0, -2), bytes('mcp-name: echo\r\n\r\n')]) }) }],
  ['with its length twice', { framing: framedAs(['content-length', length], ['content-length', length]) }],
  ['with two lengths', { framing: framedAs(['content-length', '2'], ['content-length', length]) }],
  ['with two lengths in one field', { framing: framedAs(['content-length', `${length}, ${length}`]) }],
  ['with a signed length', { framing: framedAs(['content-length', `+${length}`]) }],
  ['with a padded length', { framing: framedAs(['content-length', `000${length}`]) }],
  ['with a length of zero', { framing: framedAs(['content-length', '0']) }],
  ['with no length', { framing: framedAs() }],
  ['in HTTP/1.0', { version: 'HTTP/1.0' }],
  ['in HTTP/1.0, kept alive', { version: 'HTTP/1.0', connection: 'keep-alive' }],
  ['in HTTP/1.0, chunked', { version: 'HTTP/1.0', framing: chunks(16) }],
  ['in HTTP/0.9', { version: 'HTTP/0.9' }],
  ['in HTTP/2, it says', { version: 'HTTP/2.0' }],
  ['in a version that is none', { version: 'HTTP/1.1 x' }],
  ['expecting to be told to go on', { headers: [['expect', '100-continue']] }],
  ['upgrading to HTTP/2', { connection: 'upgrade, http2-settings', headers: [['upgrade', 'h2c'], ['http2-settings', 'AAMAAABkAAQAAP__']] }],
  ['upgrading to a WebSocket', { connection: 'upgrade', headers: [['upgrade', 'websocket'], ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='], ['sec-websocket-version', '13']] }],
  ['naming its headers as hop-by-hop', { connection: 'close, content-type, authorization, mcp-name, content-length' }],
]; // prettier-ignore

const lies: readonly (readonly [name: string, headers: readonly Field[]])[] = [
  ['an allowed name', [['mcp-method', 'tools/call'], ['mcp-name', 'echo']]],
  ['an allowed name, in other letters', [['MCP-METHOD', 'tools/call'], ['Mcp-Name', 'echo']]],
  ['an allowed name in base64', [['mcp-name', '=?base64?ZWNobw==?=']]],
  ['its own name in base64', [['mcp-method', 'tools/call'], ['mcp-name', '=?base64?c2VjcmV0?=']]],
  ['its own name in base64, in capitals', [['mcp-name', '=?BASE64?c2VjcmV0?=']]],
  ['its own name in bad base64', [['mcp-name', '=?base64?c2VjcmV?=']]],
  ['its own name', [['mcp-method', 'tools/call'], ['mcp-name', 'secret']]],
  ['two names', [['mcp-name', 'echo'], ['mcp-name', 'secret']]],
  ['two names, the other way round', [['mcp-name', 'secret'], ['mcp-name', 'echo']]],
  ['two names in one', [['mcp-name', 'secret, echo']]],
  ['an empty name', [['mcp-name', '']]],
  ['a name with spaces', [['mcp-method', 'tools/call'], ['mcp-name', '   secret  \t']]],
  ['another method', [['mcp-method', 'tools/list']]],
  ['another method in other letters', [['mcp-method', 'Tools/Call']]],
  ['two methods', [['mcp-method', 'tools/list'], ['mcp-method', 'tools/call']]],
  ['an argument', [['mcp-param-name', 'echo']]],
  ['another verb', [['x-http-method-override', 'GET'], ['x-method-override', 'GET']]],
  ['another path', [['x-original-url', '/health'], ['x-rewrite-url', '/health']]],
  ['another caller', [['x-forwarded-user', 'admin'], ['x-forwarded-for', '127.0.0.1'], ['x-jwt-sub', 'admin']]],
  ['another session', [['x-mcp-session-id', 'x']]],
  ['an event seen last', [['last-event-id', '0']]],
  ['a body of another language', [['content-language', 'x'], ['content-location', '/x']]],
  ['a range', [['range', 'bytes=0-10'], ['content-range', 'bytes 0-10/20']]],
  ['an answer of another kind', [['accept-encoding', 'gzip, br']]],
]; // prettier-ignore

const versions: readonly (readonly string[])[] = [
  [],
  ['2024-11-05'],
  ['2025-03-26'],
  ['2025-06-18'],
  ['2025-11-25'],
  [MODERN],
  ['2099-01-01'],
  ['1.0'],
  [''],
  [`  ${MODERN}\t`],
  [`2025-11-25, ${MODERN}`],
  ['2025-11-25', MODERN],
  [MODERN, '2025-11-25'],
];

const posts: readonly (readonly [name: string, post: Partial<Post>])[] = [
  ['GET', { method: 'GET' }],
  ['PUT', { method: 'PUT' }],
  ['PATCH', { method: 'PATCH' }],
  ['DELETE', { method: 'DELETE', session: false }],
  ['OPTIONS', { method: 'OPTIONS' }],
  ['HEAD', { method: 'HEAD' }],
  ['QUERY', { method: 'QUERY' }],
  ['POST in small letters', { method: 'post' }],
  ['POST in mixed letters', { method: 'Post' }],
  ['GET in chunks', { method: 'GET', framing: chunks(16) }],
  ['POST with a query', { pathEnd: '?method=tools/call&name=echo' }],
  ['POST with an empty query', { pathEnd: '?' }],
  ['POST with a session in the query', { pathEnd: '?sessionId=x' }],
  ['POST with a token in the query', { pathEnd: '?access_token=x' }],
  ['POST with a parameter in the path', { pathEnd: ';a=b' }],
  ['POST with a solidus more', { pathEnd: '/' }],
  ['POST with two solidi', { pathEnd: '//' }],
  ['POST to a path below', { pathEnd: '/mcp' }],
  ['POST up and down the path', { path: (path) => `/x/..${path}` }],
  ['POST up and down in disguise', { path: (path) => `/%2e%2e${path}` }],
  ['POST to an escaped path', { path: (path) => `/%${path.charCodeAt(1).toString(16)}${path.slice(2)}` }],
  ['POST to a path in capitals', { path: (path) => path.toUpperCase() }],
  ['POST to a path behind two solidi', { path: (path) => `/${path}` }],
  ['POST to a path behind a backslash', { path: (path) => path.replace('/', '\\') }],
  ['POST to a URL', { path: (path) => `http://127.0.0.1${path}` }],
  ['POST to another host\u2019s URL', { path: (path) => `http://upstream.test${path}` }],
  ['POST with a NUL in the path', { pathEnd: '%00' }],
  ['POST without its session', { session: false }],
  ['POST with a session that was made up', { session: false, headers: [['mcp-session-id', 'made-up']] }],
  ['POST with an empty session', { session: false, headers: [['mcp-session-id', '']] }],
  ['POST with two sessions', { headers: [['mcp-session-id', 'x'], ['mcp-session-id', 'y']] }],
]; // prettier-ignore

/** Several requests on one connection, or what one parser takes for several. */
const pipelined: readonly (readonly [name: string, octets: (aim: Aim) => Uint8Array])[] = [
  ['behind an allowed call', (aim) => both(kept(aim, echoCall('legacy')), request(aim, { body: call }))],
  ['behind a refused one', (aim) => both(kept(aim, '[]'), request(aim, { body: call }))],
  ['behind a GET', (aim) => both(request(aim, { method: 'OPTIONS', body: '', connection: 'keep-alive' }), request(aim, { body: call }))],
  ['in the body of an allowed call', (aim) => kept(aim, both(bytes(echoCall('legacy')), request(aim, { body: call })))],
  ['behind the end of an allowed call', (aim) => request(aim, { body: both(bytes(echoCall('legacy')), request(aim, { body: call })), framing: (body) => ({ fields: [['content-length', String(echoCall('legacy').length)]], octets: body }), connection: 'keep-alive' })],
  ['behind the last chunk', (aim) => request(aim, { body: '', framing: () => ({ fields: [['transfer-encoding', 'chunked'], ['content-length', '4']], octets: both(chunks(100)(bytes(echoCall('legacy'))).octets, request(aim, { body: call })) }), connection: 'keep-alive' })],
  ['in the body of a GET', (aim) => request(aim, { method: 'GET', body: request(aim, { body: call }), framing: byLength, connection: 'keep-alive' })],
]; // prettier-ignore

function both(first: Uint8Array, second: Uint8Array): Uint8Array {
  return Buffer.concat([first, second]);
}

function kept(aim: Aim, body: string | Uint8Array): Uint8Array {
  return request(aim, { body, connection: 'keep-alive' });
}

export const httpProbes: readonly Probe[] = [
  ...codings.map(([name, coding, body]) =>
    probe(`coded as ${name}`, 'tool', {
      body,
      headers: coding.map((value): Field => ['content-encoding', value]),
    }),
  ),
  ...types.map(([name, contentType, body = raw]) =>
    probe(`of a media type ${name}`, 'tool', { body, contentType }),
  ),
  ...framings.map(([name, post]) => probe(`framed ${name}`, 'tool', { body: raw, ...post })),
  ...eras.flatMap((era) =>
    lies.map(([name, headers]) =>
      probe(`${era}, under headers with ${name}`, 'tool', {
        body: secretCall(era),
        headers: [...(era === 'modern' ? headersFor(era).slice(0, 1) : []), ...headers],
      }),
    ),
  ),
  ...eras.flatMap((era) =>
    versions.map((values) =>
      probe(`${era}, under the version ${JSON.stringify(values)}`, 'tool', {
        body: secretCall(era),
        headers: [
          ...values.map((value): Field => ['mcp-protocol-version', value]),
          ...headersFor(era).slice(1),
        ],
      }),
    ),
  ),
  ...posts.map(([name, post]) => probe(`sent by ${name}`, 'tool', { body: raw, ...post })),
  ...pipelined.map(([name, octets]): Probe => ({
    name: `hidden ${name}`,
    prey: 'tool',
    octets,
    isMany: true,
  })),
];
