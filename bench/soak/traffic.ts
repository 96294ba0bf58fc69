/** What the clients of a soak do, and what must come back. */
import { createHash, randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { exchange, type Ask } from './exchange.ts';
import type { Identity } from './identity.ts';
import type { Backend, Ledger, Seen } from './ledger.ts';

export interface Stage {
  readonly port: number;
  readonly identity: Identity;
  readonly ledger: Ledger;
  readonly now: () => number;
}

/** One client: a connection that is kept, and its turn at each kind of request. */
interface Client extends Stage {
  readonly agent: Agent;
}

/** @returns what is wrong with the answer; `null` where nothing is */
type Expectation = (seen: Seen) => string | null;

interface Kind {
  /** Relative frequency. */
  readonly weight: number;
  readonly act: (client: Client, name: string) => Promise<void>;
}

export const visibleTools = ['echo', 'digest', 'count', 'fail'];
const upstreamFaults = ['reset', 'status', 'slow', 'garbage', 'headers', 'cut', 'cut-stream'];
const resetText = 'upstream call failed: connection closed before an answer';

function rpc(method: string, params: unknown, id = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

function toolCall(name: string, values: unknown): string {
  return rpc('tools/call', { name, arguments: values });
}

async function attempt(
  client: Client,
  kind: string,
  backend: Backend | null,
  ask: Omit<Ask, 'port' | 'path'> & { readonly path?: string },
  expect: Expectation,
  isRefusal = false,
): Promise<Seen> {
  const startedAtMs = client.now();
  const path = ask.path ?? `/${backend ?? 'fast'}/mcp`;
  const seen = await exchange({ agent: client.agent, ...ask, port: client.port, path });
  const wrong = expect(seen);
  client.ledger.judge({ kind, backend, startedAtMs, seen, wrong, isRefusal });
  return seen;
}

function status(wanted: number, start = ''): Expectation {
  return ({ status: got, text, cut }) => {
    if (cut !== null) return 'the answer was cut';
    if (got !== wanted) return `the status is not ${wanted}`;
    return text.startsWith(start) ? null : `the text does not begin with ${start}`;
  };
}

function holds(part: string): Expectation {
  return (seen) => status(200)(seen) ?? (seen.text.includes(part) ? null : `it lacks ${part}`);
}

const refused =
  (wanted: number, start: string, token: (client: Client) => Promise<string | null>) =>
  async (client: Client, kind: string): Promise<void> => {
    const ask = { token: await token(client), body: toolCall('echo', { text: 'x' }) };
    await attempt(client, kind, null, ask, status(wanted, start), true);
  };

const ofAlice = ({ identity }: Client): string => identity.token('alice');

async function listTools(client: Client, kind: string): Promise<void> {
  const ask = { token: ofAlice(client), body: rpc('tools/list', {}) };
  await attempt(client, kind, 'fast', ask, (seen) => {
    const problem = status(200)(seen);
    if (problem !== null) return problem;
    const names = [...seen.text.matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name);
    return names.join() === visibleTools.join() ? null : 'the list is another one';
  });
}

async function callHidden(client: Client, kind: string): Promise<void> {
  const name = `secret-${Math.floor(Math.random() * 20)}`;
  const ask = { token: ofAlice(client), body: toolCall(name, {}) };
  await attempt(client, kind, 'fast', ask, (seen) => {
    if (seen.text.includes('SECRET')) return 'a hidden tool was called';
    return holds(`Unknown tool: ${name}`)(seen);
  });
}

async function sendLarge(client: Client, kind: string): Promise<void> {
  const text = randomBytes(100_000 + Math.floor(Math.random() * 400_000)).toString('hex');
  const digest = createHash('sha256').update(text).digest('hex');
  const ask = { token: ofAlice(client), body: toolCall('digest', { text }) };
  await attempt(client, kind, 'fast', ask, holds(digest));
}

async function sendTooLarge(client: Client, kind: string): Promise<void> {
  const ask = { token: ofAlice(client), body: toolCall('digest', { text: 'x'.repeat(5 << 20) }) };
  await attempt(client, kind, null, ask, status(413), true);
}

async function sendMalformed(client: Client, kind: string): Promise<void> {
  const bodies = ['{', '[]', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 'nul', '"\ud800"'];
  const body = bodies[Math.floor(Math.random() * bodies.length)] ?? '{';
  await attempt(client, kind, null, { token: ofAlice(client), body }, status(400), true);
}

async function useSession(client: Client, kind: string): Promise<void> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'soak', version: '1' },
  };
  const begun = await attempt(
    client,
    kind,
    'fast',
    { token: ofAlice(client), body: rpc('initialize', params) },
    (seen) => status(200)(seen) ?? (seen.header('mcp-session-id') === '' ? 'no session id' : null),
  );
  const headers = { 'mcp-session-id': begun.header('mcp-session-id') };
  if (begun.status !== 200 || begun.cut !== null) return;
  const use = { headers, body: rpc('ping', {}) };
  await attempt(client, kind, 'fast', { ...use, token: ofAlice(client) }, status(200));
  const stolen = { ...use, token: client.identity.token('carol') };
  await attempt(client, 'session of another', null, stolen, status(404, 'Session not found'), true);
  const end = { headers, method: 'DELETE', token: ofAlice(client) } as const;
  await attempt(client, kind, 'fast', end, status(204));
}

/** All numbered notifications, in order and without a gap. */
function numbersOf(text: string): string | null {
  const numbers = [...text.matchAll(/"number":(\d+)/g)].map(([, number]) => Number(number));
  return numbers.every((number, index) => number === index) ? null : 'events are out of order';
}

async function readStream(client: Client, kind: string): Promise<void> {
  const events = 20 + Math.floor(Math.random() * 80);
  const ask = {
    token: ofAlice(client),
    body: toolCall('count', { events }),
    agent: false as const,
  };
  await attempt(client, kind, 'stream', ask, (seen) => {
    const count = seen.text.split('"number":').length - 1;
    const problem = holds('counted')(seen) ?? numbersOf(seen.text);
    return problem ?? (count === events ? null : `${count} of ${events} events came`);
  });
}

async function abortStream(client: Client, kind: string): Promise<void> {
  const events = 1 + Math.floor(Math.random() * 60);
  const onText = (text: string, leave: () => void): void => {
    if (text.split('"number":').length > events) leave();
  };
  const ask = { method: 'GET', token: ofAlice(client), agent: false, onText } as const;
  await attempt(client, kind, 'stream', ask, (seen) => status(200)(seen) ?? numbersOf(seen.text));
}

async function idleStream(client: Client, kind: string): Promise<void> {
  const idleMs = 500 + Math.floor(Math.random() * 4000);
  const ask = { method: 'GET', token: ofAlice(client), agent: false, idleMs } as const;
  await attempt(client, kind, 'stream', ask, status(200));
}

async function meetFault(client: Client): Promise<void> {
  const fault = upstreamFaults[Math.floor(Math.random() * upstreamFaults.length)] ?? 'reset';
  const body = toolCall('fail', { fault });
  const expect: Readonly<Record<string, Expectation>> = {
    reset: status(502, resetText),
    status: status(500, 'boom'),
    slow: status(504, 'request timeout'),
    garbage: status(502, 'upstream call failed'),
    headers: status(502, 'upstream call failed'),
    cut: (seen) => (seen.cut !== null ? null : status(502, 'upstream call failed')(seen)),
    'cut-stream': ({ cut, status: got }) =>
      cut !== null && got === 200 ? null : 'a cut stream does not look cut',
  };
  const agent = fault.startsWith('cut') ? { agent: false as const } : {};
  const ask = { token: ofAlice(client), body, ...agent };
  const wanted = expect[fault] ?? status(502);
  await attempt(client, `upstream ${fault}`, 'faulty', ask, wanted, true);
}

/** Octets that are no request: an error or a closed connection, within the patience of a client. */
function sendOctets({ port, ledger, now }: Client, kind: string): Promise<void> {
  const startedAtMs = now();
  return new Promise((resolve) => {
    let text = '';
    let cut: string | null = null;
    const socket = connect(port, '127.0.0.1', () => socket.write(randomBytes(200)));
    const patience = setTimeout(() => socket.destroy(new Error('left hanging')), 30_000);
    socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
    // A reset is as good a refusal as any.
    socket.on('error', (error) => (cut = error.message));
    socket.once('close', () => {
      clearTimeout(patience);
      const seen: Seen = { status: null, text: text.slice(0, 30), header: () => '', cut };
      const isRight = cut !== 'left hanging' && !/^HTTP\/1.1 [23]/.test(text);
      const wrong = isRight ? null : 'random octets were not refused';
      ledger.judge({ kind, backend: null, startedAtMs, seen, wrong, isRefusal: false });
      resolve();
    });
  });
}

/** A client that announces a body and leaves in the middle of it: there is nothing to see but the log. */
function leaveMidBody(client: Client, kind: string): Promise<void> {
  const { port, ledger, now } = client;
  const startedAtMs = now();
  const head = `POST /fast/mcp HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ofAlice(client)}\r\n`;
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${head}content-type: application/json\r\ncontent-length: 9000\r\n\r\n{"json`);
      setTimeout(() => socket.destroy(), Math.random() * 200);
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      const seen: Seen = { status: null, text: '', header: () => '', cut: null };
      ledger.judge({ kind, backend: null, startedAtMs, seen, wrong: null, isRefusal: false });
      resolve();
    });
  });
}

const kinds: Readonly<Record<string, Kind>> = {
  call: {
    weight: 40,
    act: async (client, kind) => {
      const text = randomBytes(8).toString('hex');
      const ask = { token: ofAlice(client), body: toolCall('echo', { text }) };
      await attempt(client, kind, 'fast', ask, holds(`echo ${text}`));
    },
  },
  'cold token': {
    weight: 6,
    act: async (client, kind) => {
      const token = await client.identity.newToken('alice');
      const body = toolCall('echo', { text: 'cold' });
      await attempt(client, kind, 'fast', { token, body }, holds('echo cold'));
    },
  },
  list: { weight: 8, act: listTools },
  'hidden tool': { weight: 6, act: callHidden },
  anonymous: {
    weight: 4,
    act: refused(403, 'authentication failure: no bearer token', () => Promise.resolve(null)),
  },
  'garbage token': {
    weight: 4,
    act: refused(403, 'authentication failure', () =>
      Promise.resolve(`${randomBytes(30).toString('base64url')}.e30.x`),
    ),
  },
  'forged token': {
    weight: 3,
    act: refused(403, 'authentication failure', ({ identity }) => identity.forgedToken()),
  },
  'expired token': {
    weight: 2,
    act: refused(403, 'authentication failure', ({ identity }) => identity.expiredToken()),
  },
  'other subject': {
    weight: 3,
    act: refused(403, 'authorization failed', ({ identity }) =>
      Promise.resolve(identity.token('mallory')),
    ),
  },
  'no route': {
    weight: 1,
    act: async (client, kind) => {
      const ask = { path: '/nowhere', token: ofAlice(client), body: '{}' };
      await attempt(client, kind, null, ask, status(404, 'route not found'), true);
    },
  },
  'large body': { weight: 1, act: sendLarge },
  'too large body': { weight: 0.5, act: sendTooLarge },
  'malformed JSON': { weight: 3, act: sendMalformed },
  session: { weight: 4, act: useSession },
  'stream read': { weight: 3, act: readStream },
  'stream aborted': { weight: 3, act: abortStream },
  'stream left idle': { weight: 2, act: idleStream },
  'upstream fault': { weight: 4, act: meetFault },
  'random octets': { weight: 1, act: sendOctets },
  'left in the body': { weight: 1, act: leaveMidBody },
};

/** Runs clients until `going` says no; each does one thing after the other. */
export async function runClients(
  stage: Stage,
  count: number,
  pauseMs: number,
  going: () => boolean,
): Promise<void> {
  const clients = Array.from({ length: count }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (going()) {
      const name = choose(Math.random());
      await kinds[name]?.act({ ...stage, agent }, name);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 * pauseMs));
    }
    agent.destroy();
  });
  await Promise.all(clients);
}

/** @param place from 0 to 1 */
function choose(place: number): string {
  const total = Object.values(kinds).reduce((sum, { weight }) => sum + weight, 0);
  let left = place * total;
  for (const [name, { weight }] of Object.entries(kinds)) {
    left -= weight;
    if (left < 0) return name;
  }
  return 'call';
}
