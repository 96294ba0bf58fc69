/** A hidden name goes up in the place of a denied one. Upstreams here do their worst to send it back to the client. */
import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { beginEvents, json, startFakeUpstream, type Script } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { open } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, KGATEWAY_GROUP, localJwks, rbac } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';

const MARK = 'postern-';
const WELL_FORMED = 'postern-n00axxxxxxxxxx';

let gate: Gate;
let token = '';
let script: Script;
let sentUp: readonly string[] = [];

before(async () => {
  const issuer = await createIssuer();
  token = await issuer.sign({ sub: 'alice' });
  const upstream = await startFakeUpstream(fileScope, (request, response) => {
    sentUp = [...sentUp, nameIn(request.body)];
    return script(request, response);
  });
  const target = { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' };
  gate = await startGate(fileScope, {
    upstreamPort: upstream.port,
    more: [
      glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
      glooPolicy(rbac('mcp.tool.name != "secret"'), { name: 'tools', target }),
    ],
  });
});

interface Seen {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function call(name: string, id: number | string): Promise<Seen> {
  const message = { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } };
  const { response } = await open({
    port: gate.port,
    body: JSON.stringify(message),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  });
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  const { date, ...headers } = response.headers;
  assert.ok(date !== undefined);
  // The comment that carries the head comes where the first event is late, whatever was asked for.
  const body = Buffer.concat(pieces)
    .toString('latin1')
    .replace(/^:\n\n/, '');
  return { status: response.statusCode, headers, body };
}

const nameIn = (body: string): string =>
  (JSON.parse(body) as { params: { name: string } }).params.name;
const idIn = (body: string): unknown => (JSON.parse(body) as { id: unknown }).id;

const unknownTool = (body: string, name = nameIn(body)) => ({
  jsonrpc: '2.0',
  id: idIn(body),
  error: { code: -32602, message: `Unknown tool: ${name}` },
});

const escape = (text: string): string =>
  text.replace(/./g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);

const spellings: Readonly<Record<string, (name: string) => string>> = {
  capitals: (name) => name.toUpperCase(),
  'small letters': (name) => `No ${name.toLowerCase()}`,
  base64: (name) => Buffer.from(`a ${name}.`).toString('base64'),
  base64url: (name) => Buffer.from(name).toString('base64url'),
  hexadecimal: (name) => Buffer.from(name).toString('hex'),
  'percent-encoding': (name) => Buffer.from(name).toString('hex').replace(/../g, '%$&'),
};

interface Row {
  readonly name: string;
  readonly script: Script;
  readonly id?: string;
  /** Of both answers; 0: the denied one can't be as the other is, and nothing of it comes. */
  readonly status: number;
}

const rows: readonly Row[] = [
  {
    name: 'after an id that is full of marks',
    id: MARK.repeat(64),
    script: (request, response) => json(unknownTool(request.body))(request, response),
    status: 200,
  },
  {
    name: 'after an id with as many forged names as it has room for',
    id: WELL_FORMED.repeat(46),
    script: (request, response) => json(unknownTool(request.body))(request, response),
    status: 200,
  },
  {
    name: 'after more forged names than one message is searched for',
    id: WELL_FORMED.repeat(46),
    script: (request, response) => {
      const text = `${String(idIn(request.body))} ${nameIn(request.body)}`;
      return json(unknownTool(request.body, text))(request, response);
    },
    status: 502,
  },
  {
    name: 'in an event after an id that is full of marks',
    id: MARK.repeat(64),
    script: (request, response) => {
      beginEvents(response);
      response.end(
        `event: message\ndata: ${JSON.stringify(unknownTool(request.body))}\n\n: ${nameIn(request.body)}\n\n`,
      );
    },
    status: 200,
  },
  {
    name: 'in header fields',
    script: ({ body }, response) => {
      const name = nameIn(body);
      response.writeHead(200, {
        'content-type': 'application/json',
        'x-tool': name,
        'mcp-name': `"${name}"; ${name}`,
        location: `/tools/${name}`,
      });
      response.end(JSON.stringify(unknownTool(body)));
    },
    status: 200,
  },
  {
    name: 'in header fields of a redirection',
    script: ({ body }, response) => {
      response.writeHead(307, { location: `/tools/${nameIn(body)}` }).end();
    },
    status: 307,
  },
  {
    name: 'in header fields of an event stream',
    script: ({ body }, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-tool': nameIn(body) });
      response.end(`data: ${JSON.stringify(unknownTool(body))}\n\n`);
    },
    status: 200,
  },
  {
    name: 'in more header fields than are searched',
    script: ({ body }, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'x-tool': `${WELL_FORMED.repeat(64)}${nameIn(body)}`,
      });
      response.end(JSON.stringify(unknownTool(body)));
    },
    status: 0,
  },
  ...[200, 400].map((status): Row => ({
    name: `compressed, with status ${status}`,
    script: ({ body }, response) => {
      response.writeHead(status, {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
      });
      response.end(gzipSync(JSON.stringify(unknownTool(body))));
    },
    status: 502,
  })),
  ...[200, 202, 404].flatMap((status) =>
    ['text/plain', 'text/event-stream', ''].map((type): Row => ({
      name: `compressed, of type "${type}", with status ${status}`,
      script: ({ body }, response) => {
        response.writeHead(status, {
          ...(type === '' ? {} : { 'content-type': type }),
          'content-encoding': 'gzip',
        });
        response.end(gzipSync(nameIn(body)));
      },
      status: 502,
    })),
  ),
  {
    name: 'in an answer of another type, in pieces',
    script: async ({ body }, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', etag: '"1"' });
      for (const letter of nameIn(body)) {
        response.write(letter);
        await new Promise(setImmediate);
      }
      response.end();
    },
    status: 200,
  },
  ...Object.entries(spellings).map(([name, spell]): Row => ({
    name: `in ${name}, which can't be put back`,
    script: (request, response) =>
      json(unknownTool(request.body, spell(nameIn(request.body))))(request, response),
    status: 0,
  })),
  {
    name: 'under escapes, which can not be put back',
    script: ({ body }, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const text = JSON.stringify(unknownTool(body, 'NAME'));
      response.end(text.replace('NAME', escape(nameIn(body))));
    },
    status: 0,
  },
  {
    name: 'in a page of an HTTP error',
    script: ({ body }, response) => {
      response.writeHead(404, { 'content-type': 'text/html' });
      response.end(`<p>${nameIn(body)} is not here</p>`);
    },
    status: 404,
  },
];

describe('a hidden name does not come back', () => {
  for (const row of rows) {
    test(row.name, async () => {
      ({ script } = row);
      sentUp = [];
      const id = row.id ?? 7;
      const denied = await call('secret', id);
      const absent = await call('absent', id);

      assert.match(sentUp[0] ?? '', /^postern-n[\w-]{40,}$/, 'the denied call went up hidden');
      assert.equal(sentUp[1], 'absent');
      const hidden = sentUp[0] ?? '';
      assert.ok(!JSON.stringify(denied).includes(hidden), JSON.stringify(denied));
      if (row.status === 0) {
        assert.equal(denied.status, 502);
        return;
      }
      assert.equal(denied.status, row.status);
      const rename = (seen: Seen): unknown =>
        JSON.parse(JSON.stringify(seen).replaceAll('absent', 'secret'));
      assert.deepEqual(rename(absent), denied);
    });
  }
});
