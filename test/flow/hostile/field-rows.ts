/** Header fields: odd, doubled, colliding with ours; hosts; upgrades; several requests in one go. */
import { atMostOnce, dropped, forwarded, get, refused, type HostileRow } from './row.ts';

const UP = forwarded('GET /open/x HTTP/1.1');
const host = (value: string, more = ''): string =>
  `GET /open/x HTTP/1.1\r\nhost: ${value}\r\n${more}\r\n`;

export const fieldRows: readonly HostileRow[] = [
  // Hosts.
  { name: 'no Host', octets: 'GET /open/x HTTP/1.1\r\n\r\n', outcome: dropped },
  { name: 'an empty Host', octets: host(''), outcome: refused() },
  { name: 'two Hosts', octets: host('gate.test', 'host: evil.test\r\n'), outcome: refused() },
  {
    name: 'two Hosts that agree',
    octets: host('gate.test', 'Host: gate.test\r\n'),
    outcome: refused(),
  },
  { name: 'a Host with a path', octets: host('gate.test/closed'), outcome: refused() },
  { name: 'a Host with user information', octets: host('a@gate.test'), outcome: refused() },
  { name: 'a Host with a comma', octets: host('gate.test, evil.test'), outcome: refused() },
  { name: 'a Host with a space', octets: host('gate.test evil.test'), outcome: refused() },
  { name: 'a Host with port 0', octets: host('gate.test:0'), outcome: refused() },
  { name: 'a Host with port 65536', octets: host('gate.test:65536'), outcome: refused() },
  { name: 'a Host with two ports', octets: host('gate.test:80:81'), outcome: refused() },
  { name: 'a Host with an escape', octets: host('gate%2etest'), outcome: refused() },
  { name: 'a Host in other letters', octets: host('g\xc3\xa4te.test'), outcome: refused() },
  { name: 'a Host of 300 letters', octets: host(`${'a.'.repeat(150)}test`), outcome: refused() },
  { name: 'a Host that is half an address', octets: host('127.1'), outcome: refused() },
  { name: 'a Host in hexadecimal', octets: host('0x7f000001'), outcome: refused() },
  { name: 'an IPv6 Host with a zone', octets: host('[fe80::1%25eth0]'), outcome: refused() },
  { name: 'a Host in capitals', octets: host('GATE.TEST'), outcome: UP },
  { name: 'a Host with a final dot', octets: host('gate.test.'), outcome: UP },

  // Names and values.
  {
    name: 'an empty name',
    octets: get('/open/x', ': b\r\n'),
    outcome: atMostOnce('GET /open/x HTTP/1.1'),
  },
  { name: 'a name with a space', octets: get('/open/x', 'x a: b\r\n'), outcome: dropped },
  { name: 'a name with brackets', octets: get('/open/x', 'x(a): b\r\n'), outcome: dropped },
  { name: 'a name beyond ASCII', octets: get('/open/x', 'x\xe4: b\r\n'), outcome: dropped },
  { name: 'a line without a colon', octets: get('/open/x', 'nonsense\r\n'), outcome: dropped },
  {
    name: 'a value that is not UTF-8',
    octets: get('/open/x', 'x-a: \xff\xfe\r\n'),
    outcome: atMostOnce('GET /open/x HTTP/1.1'),
    neverUp: /\xff|\xfe/,
  },
  { name: '95 fields', octets: get('/open/x', 'x-a: b\r\n'.repeat(95)), outcome: refused(431) },
  { name: '500 fields', octets: get('/open/x', 'x-a: b\r\n'.repeat(500)), outcome: dropped },
  {
    name: 'a field of 70 KiB',
    octets: get('/open/x', `x-a: ${'b'.repeat(70_000)}\r\n`),
    outcome: refused(431),
  },
  { name: 'an empty value', octets: get('/open/x', 'x-a:\r\n'), outcome: UP },

  // Doubled fields that decide.
  ...[
    ...['authorization: Bearer a', 'content-type: application/json', 'cookie: a=b'],
    ...['origin: http://a.test', 'expect: 100-continue', 'mcp-session-id: a'],
    ...['mcp-protocol-version: 2025-11-25', 'mcp-name: a', 'mcp-method: ping', 'last-event-id: 1'],
  ].map((line): HostileRow => ({
    name: `${line.split(':')[0] ?? ''} twice`,
    octets: get('/open/x', `${line}\r\n${line}\r\n`),
    outcome: refused(),
  })),

  // What claims to be ours, or is for one hop only, ends at the gate.
  ...[
    ...['x-forwarded-for: 6.6.6.6', 'X_Forwarded_For: 6.6.6.6', 'x-forwarded-host: evil.test'],
    ...['x-forwarded-proto: evil', 'x-forwarded-port: 666', 'forwarded: for=6.6.6.6'],
    ...['x-real-ip: 6.6.6.6', 'x_real_ip: 6.6.6.6', 'connection: evil\r\nevil: 1'],
    ...['keep-alive: evil', 'proxy-connection: evil', 'te: evil', 'trailer: evil'],
    ...['proxy-authorization: evil', 'upgrade: evil', 'authorization: evil', 'expect: evil'],
  ].map((line): HostileRow => ({
    name: `a client's own ${line.split(':')[0] ?? ''}`,
    octets: get('/open/x', `${line}\r\n`),
    outcome: line.includes('_') ? atMostOnce('GET /open/x HTTP/1.1') : UP,
    neverUp: /6\.6\.6\.6|evil|666/i,
  })),
  {
    name: 'Connection that names a field of ours',
    octets: get('/open/x', 'connection: x-forwarded-for, host\r\n'),
    outcome: UP,
  },
  {
    name: 'an upgrade to a web socket',
    octets: get(
      '/open/x',
      'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
    ),
    outcome: UP,
    neverUp: /^(upgrade|connection: upgrade)/i,
  },
  {
    name: 'an upgrade to HTTP/2',
    octets: get(
      '/open/x',
      'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n',
    ),
    outcome: UP,
    neverUp: /upgrade|http2-settings/i,
  },

  // Behind a request that is refused nothing is read as another.
  {
    name: 'a request hidden in the body of a refused one',
    octets: `POST /closed HTTP/1.1\r\nhost: gate.test\r\ncontent-length: 47\r\n\r\n${get('/open/x')}`,
    outcome: refused(403),
  },
  {
    name: 'a request behind a bad one',
    octets: `GET /open/%zz HTTP/1.1\r\nhost: gate.test\r\n\r\n${get('/open/smuggled')}`,
    outcome: dropped,
  },
  {
    name: 'a request behind a length that is none',
    octets: `POST /open/x HTTP/1.1\r\nhost: gate.test\r\ncontent-length: x\r\n\r\n${get('/open/smuggled')}`,
    outcome: dropped,
  },
];
