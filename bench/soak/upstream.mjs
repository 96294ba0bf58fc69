/**
 * An MCP server for the soak, a process of its own: `node upstream.mjs PORT`. What a call does is said by the
 * called tool and its arguments, so that the client that sent it knows what has to come back.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const TICK_MS = 20;
const open = ['echo', 'digest', 'count', 'fail'];
const tools = [...open, ...Array.from({ length: 20 }, (_, index) => `secret-${index}`)].map(
  (name) => ({ name, description: `the tool ${name}`, inputSchema: { type: 'object' } }),
);

const faults = {
  reset: (_id, response) => response.socket.resetAndDestroy(),
  status: (_id, response) => response.writeHead(500, { 'content-type': 'text/plain' }).end('boom'),
  slow: () => undefined,
  garbage: (_id, response) => response.socket.end('this is no HTTP\r\n\r\n'),
  headers: (_id, response) => {
    response.socket.write('HTTP/1.1 200 OK\r\nx: ');
    response.socket.end();
  },
  cut: (_id, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"jsonrpc":"2.0",', () => response.socket.resetAndDestroy());
  },
  'cut-stream': (id, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event({ jsonrpc: '2.0', id, method: 'notifications/progress', params: {} }));
    setTimeout(() => response.socket?.resetAndDestroy(), 50);
  },
};

const server = createServer({ maxHeaderSize: 256 * 1024 }, (request, response) => {
  const chunks = [];
  request.on('error', () => undefined).on('data', (chunk) => chunks.push(chunk));
  response.on('error', () => undefined);
  request.once('end', () => {
    if (request.method === 'GET') tick(response, Infinity, () => undefined);
    else if (request.method === 'DELETE') response.writeHead(204).end();
    else answer(JSON.parse(Buffer.concat(chunks).toString('utf8')), response);
  });
});
server.keepAliveTimeout = 0;
server.requestTimeout = 0;
server.listen(Number(process.argv[2]), '127.0.0.1');

function answer({ id, method, params }, response) {
  if (method === 'initialize') {
    response.setHeader('mcp-session-id', randomUUID());
    const capabilities = { tools: {} };
    const serverInfo = { name: 'soak', version: '1' };
    reply(id, { protocolVersion: params.protocolVersion, capabilities, serverInfo }, response);
  } else if (method === 'tools/list') reply(id, { tools }, response);
  else if (method === 'tools/call') call(id, params.name, params.arguments ?? {}, response);
  else if (id === undefined) response.writeHead(202).end();
  else reply(id, {}, response);
}

function call(id, name, values, response) {
  if (name === 'echo') reply(id, text(`echo ${values.text}`), response);
  else if (name === 'digest') reply(id, text(sha256(values.text)), response);
  else if (name === 'fail') faults[values.fault](id, response);
  else if (name === 'count') {
    tick(response, values.events, () =>
      response.end(event({ jsonrpc: '2.0', id, result: text('counted') })),
    );
  } else if (name.startsWith('secret-')) reply(id, text('SECRET'), response);
  else {
    const error = { code: -32602, message: `Unknown tool: ${name}` };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, error }));
  }
}

/** Sends numbered notifications until `count` of them are out or the other side has left. */
function tick(response, count, done) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  let number = 0;
  const timer = setInterval(() => {
    if (number < count) {
      const params = { level: 'info', data: { number, filler: 'x'.repeat(400) } };
      // A reader that stands still gets no more than fits: it must cost this process nothing either.
      if (response.writableLength < 65_536) {
        response.write(event({ jsonrpc: '2.0', method: 'notifications/message', params }));
        number += 1;
      }
      return;
    }
    clearInterval(timer);
    done();
  }, TICK_MS);
  response.once('close', () => clearInterval(timer));
}

function reply(id, result, response) {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
}

function text(value) {
  return { content: [{ type: 'text', text: value }] };
}

function event(message) {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

function sha256(value) {
  return createHash('sha256').update(value).digest('hex');
}
