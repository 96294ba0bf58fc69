import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAdminToken } from '../../src/admin/admin-token.ts';
import { answerAdmin, type AdminRequest, type AdminState } from '../../src/admin/pages.ts';

const state: AdminState = {
  readiness: () => ({ ready: true, details: ['all is well'] }),
  config: () => ({ generation: 1 }),
  status: () => ({ workers: [] }),
};
const never: AdminState = {
  readiness: state.readiness,
  config: () => assert.fail('the configuration was asked for'),
  status: () => assert.fail('the status was asked for'),
};
const ask = (changes: Partial<AdminRequest>, of: AdminState = state) =>
  answerAdmin(
    {
      method: 'GET',
      path: '/',
      headers: { host: 'localhost:15000' },
      overLoopback: true,
      ...changes,
    },
    of,
    null,
  );

describe('pages', () => {
  const rows: readonly [path: string, status: number, body: unknown][] = [
    ['/healthz/live', 200, { live: true }],
    ['/healthz/ready', 200, { ready: true, details: ['all is well'] }],
    ['/config', 200, { generation: 1 }],
    ['/status', 200, { workers: [] }],
    ['/', 200, { pages: ['/healthz/live', '/healthz/ready', '/config', '/status'] }],
    ['/config/', 404, undefined],
    ['//config', 404, undefined],
    ['/CONFIG', 404, undefined],
    ['/%63onfig', 404, undefined],
    ['http://localhost/config', 404, undefined],
    ['', 404, undefined],
  ];
  for (const [path, status, body] of rows) {
    test(`${path || 'nothing'}: ${status}`, () => {
      const answer = ask({ path });
      assert.equal(answer.status, status);
      if (body !== undefined) assert.deepEqual(JSON.parse(answer.body), body);
    });
  }

  test('not ready is 503 with the reasons', () => {
    const readiness = () => ({ ready: false, details: ['no listener is up'] });
    const answer = ask({ path: '/healthz/ready' }, { ...state, readiness });
    assert.equal(answer.status, 503);
    assert.deepEqual(JSON.parse(answer.body), readiness());
  });
});

describe('who may see what', () => {
  const local = [
    'localhost',
    'LOCALHOST:1',
    '127.0.0.1',
    '127.9.9.9:15000',
    '[::1]',
    '[::1]:15000',
  ];
  for (const host of local) {
    test(`under ${host} this machine sees the configuration`, () =>
      assert.equal(ask({ path: '/config', headers: { host } }).status, 200));
  }
  const foreign = [
    'evil.example', 'localhost.evil.example', 'evil.example:15000', '127.0.0.1.evil.example', '127.0.0.1:1:2',
    'localhost:', 'localhost/', 'user@localhost', '[::2]', '::1', '0.0.0.0', '10.0.0.1', '', 'localhost\n',
    'x localhost',
  ]; // prettier-ignore
  for (const host of foreign) {
    test(`under ${JSON.stringify(host)} it does not (DNS rebinding)`, () => {
      for (const path of ['/config', '/status', '/']) {
        assert.equal(ask({ path, headers: { host } }, never).status, 403);
      }
    });
  }
  test('without a Host it does not', () =>
    assert.equal(ask({ path: '/config', headers: {} }, never).status, 403));

  test('others see health and nothing else, whatever Host they send', () => {
    const other = { overLoopback: false };
    assert.equal(ask({ ...other, path: '/healthz/live' }).status, 200);
    assert.equal(ask({ ...other, path: '/healthz/ready', headers: {} }).status, 200);
    for (const path of ['/config', '/status', '/', '/nothing']) {
      assert.equal(ask({ ...other, path }, never).status, 403);
    }
  });
});

describe('methods', () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'get', '']) {
    test(`${method || 'none'} is refused on every page`, () => {
      for (const path of ['/config', '/healthz/live']) {
        const answer = ask({ method, path }, never);
        assert.equal(answer.status, 405);
        assert.equal(answer.headers.allow, 'GET, HEAD');
      }
    });
  }
  test('HEAD is answered as GET', () =>
    assert.deepEqual(ask({ method: 'HEAD', path: '/config' }), ask({ path: '/config' })));
});

test('every answer forbids caching, framing, sniffing and scripts', () => {
  for (const request of [
    {},
    { path: '/config' },
    { path: '/x' },
    { method: 'POST' },
    { overLoopback: false },
  ]) {
    const { headers } = ask(request);
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['content-type'], 'application/json; charset=utf-8');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['access-control-allow-origin'], undefined);
  }
});

describe('with a token', () => {
  const token = 'a-token-of-the-deployment-0123456789';
  const parsed = parseAdminToken(token);
  assert.ok(parsed.ok);
  const withToken = (headers: AdminRequest['headers'], path = '/config') =>
    answerAdmin(
      { method: 'GET', path, headers, overLoopback: false },
      headers.authorization === `Bearer ${token}` || headers.authorization === `bearer  ${token}`
        ? state
        : never,
      parsed.check,
    );

  for (const [name, authorization, status] of [
    ['the token', `Bearer ${token}`, 200],
    ['the token after a scheme in other letters', `bearer  ${token}`, 200],
    ['none', undefined, 401],
    ['another', 'Bearer b-token-of-the-deployment-0123456789', 401],
    ['a part of it', `Bearer ${token.slice(0, -1)}`, 401],
    ['more than it', `Bearer ${token}0`, 401],
    ['it twice', `Bearer ${token} ${token}`, 401],
    ['another scheme', `Basic ${token}`, 401],
    ['an empty one', 'Bearer ', 401],
  ] as const) {
    test(`${name}: ${status}`, () => {
      const answer = withToken(authorization === undefined ? {} : { authorization });
      assert.equal(answer.status, status);
      assert.equal(answer.body.includes(token), false);
      assert.equal('www-authenticate' in answer.headers, status === 401);
    });
  }

  test('this machine needs it too, and health does not', () => {
    const local = { method: 'GET', headers: { host: 'localhost' }, overLoopback: true } as const;
    assert.equal(answerAdmin({ ...local, path: '/config' }, never, parsed.check).status, 401);
    assert.equal(withToken({}, '/healthz/live').status, 200);
    assert.equal(withToken({}, '/healthz/ready').status, 200);
  });

  for (const [name, text] of [
    ['an empty one', ''],
    ['a short one', 'short'],
    ['one with a space', `${token} x`],
    ['one with a line end', `${token}\n`],
    ['a huge one', 'a'.repeat(5000)],
  ] as const) {
    test(`${name} is refused with a sentence that does not contain it`, () => {
      const refused = parseAdminToken(text);
      assert.ok(!refused.ok);
      assert.match(refused.problem, /POSTERN_ADMIN_TOKEN must be 24 to 4096/);
      if (text !== '') assert.equal(refused.problem.includes(text), false);
    });
  }
});
