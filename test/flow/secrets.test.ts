/** Every secret that a deployment or a client has is a canary here: none is seen on a page or in a log. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { json, ok, startFakeUpstream } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { initialize, mcpHeaders, ping, send, sendMcp, sendRaw } from '../harness/http-client.ts';
import { startJwksServer } from '../harness/jwks-server.ts';
import { startPostern } from '../harness/postern.ts';
import {
  GATEWAY_GROUP,
  gateway,
  glooJwt,
  glooPolicy,
  localJwks,
  mcpBackend,
  rbac,
  remoteJwks,
  route,
  staticBackend,
  tlsSecret,
  yaml,
} from '../harness/resources.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { until } from '../harness/until.ts';
import { createAuthority } from '../peers/certificates.ts';

const word = (name: string): string => `${name}-${randomBytes(16).toString('hex')}`;

for (const format of ['text', 'json'] as const) {
  describe(`with logs as ${format}`, () => {
    test('no secret is in a page, a metric or a log, whatever goes wrong', async (t) => {
      const canary = {
        'the admin token': word('admin'),
        'the session key': randomBytes(32).toString('hex'),
        'the password of Redis': word('redis'),
        'a header value from the environment': word('environment'),
        'a header value that is a credential by its name': word('api-key'),
        'the query of a JWKS URL': word('jwks'),
        'the session of the upstream': word('session'),
        'an API key of the client': word('client'),
        'the query of a request': word('query'),
        'a cookie': word('cookie'),
        'a body': word('body'),
        'the token of the admin port, mistyped': word('mistyped'),
        'a bearer token that is none': word('opaque'),
      };
      const upstream = await startFakeUpstream(t, (request, response) => {
        response.setHeader('mcp-session-id', canary['the session of the upstream']);
        if (request.url.includes('fail')) response.socket?.destroy();
        else return json(ok)(request, response);
      });
      const issuer = await createIssuer();
      const other = await createIssuer({ kid: 'key-2' });
      const idp = await startJwksServer(t, [issuer.jwk]);
      const authority = await createAuthority();
      const pair = await authority.issue({ dns: ['gate.test'] });
      const [port, tlsPort] = [await freePort(), await freePort()];
      const setHeaders = [
        { name: 'x-from-environment', value: '${CANARY}' },
        { name: 'x-api-key', value: canary['a header value that is a credential by its name'] },
      ];
      const resources = (jwks: ReturnType<typeof remoteJwks>) =>
        yaml(
          gateway({
            port,
            listeners: [
              { name: 'http', protocol: 'HTTP', port },
              {
                ...{ name: 'https', protocol: 'HTTPS', port: tlsPort },
                tls: { mode: 'Terminate', certificateRefs: [{ name: 'gate' }] },
              },
            ],
          }),
          tlsSecret('gate', pair),
          mcpBackend({ port: upstream.port }),
          staticBackend({ port: idp.port, name: 'idp' }),
          route({
            rule: {
              filters: [
                { type: 'RequestHeaderModifier', requestHeaderModifier: { set: setHeaders } },
              ],
            },
          }),
          glooPolicy({
            ...glooJwt({ issuer: issuer.issuer, ...jwks }),
            ...rbac('jwt.sub != "${CANARY}"'),
          }),
          glooPolicy(
            {
              rbac: {
                action: 'Deny',
                ...(rbac('jwt.sub == "mallory" || jwt.sub == "${CANARY}"').rbac as object),
              },
            },
            { name: 'deny', target: { group: GATEWAY_GROUP, kind: 'HTTPRoute', name: 'mcp' } },
          ),
        );
      const url = `http://idp.test/jwks.json?key=${canary['the query of a JWKS URL']}`;
      const gate = await startPostern(t, {
        resources: resources(remoteJwks({ url, cacheDuration: '1s' })),
        options: [`--log-format=${format}`, '--log-level=debug', '--workers=2'],
        env: {
          CANARY: canary['a header value from the environment'],
          POSTERN_SESSION_KEY: canary['the session key'],
          POSTERN_ADMIN_TOKEN: canary['the admin token'],
          POSTERN_REDIS_URL: `redis://:${canary['the password of Redis']}@127.0.0.1:1`,
        },
      });

      const token = await issuer.sign({ sub: 'alice' });
      const seen: Record<string, string> = { ...canary };
      const [, , signature = ''] = token.split('.');
      seen['a token that is let in'] = signature;
      const headers = {
        'x-api-key': canary['an API key of the client'],
        cookie: `c=${canary['a cookie']}`,
      };
      const path = `/mcp?access=${canary['the query of a request']}`;
      const message = { ...ping, params: { _meta: { note: canary['a body'] } } };
      const tls = { serverName: 'gate.test', ca: authority.certPem };

      const opened = await sendMcp(port, initialize, { token, headers, path });
      assert.equal(opened.status, 200);
      const session = opened.headers['mcp-session-id'];
      assert.ok(typeof session === 'string' && session !== canary['the session of the upstream']);
      seen['a session id of the client'] = session;
      const inSession = { ...headers, 'mcp-session-id': session };
      assert.equal((await sendMcp(port, message, { token, headers: inSession, path })).status, 200);
      assert.equal((await sendMcp(tlsPort, message, { token, tls, headers })).status, 200);
      const received = upstream.requests.at(-1)?.headers ?? {};
      assert.equal(
        received['x-from-environment'],
        canary['a header value from the environment'],
        'the canary is what the deployment means',
      );

      const refused = {
        'an unsigned token': `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}`,
        'a token of another key': await other.sign({ sub: 'alice' }),
        'a token of the right kid, signed by another': await other.sign({}, { kid: 'key-1' }),
        'an expired token': await issuer.sign({ exp: 1 }),
        'a token that a rule refuses': await issuer.sign({ sub: 'mallory' }),
        'an opaque token': canary['a bearer token that is none'],
      };
      for (const [name, bad] of Object.entries(refused)) {
        const answer = await sendMcp(port, message, { token: bad, headers, path });
        assert.ok(answer.status >= 400, name);
        // What stands before belongs to tokens that are let in, or to no one.
        const [, payload = bad, last = ''] = bad.split('.');
        seen[name] = last.length > 40 && !/^A+$/.test(last) ? last : payload;
      }
      await send({ port, path, headers: { ...mcpHeaders(token), ...inSession }, method: 'DELETE' });
      await send({ port, path: `/mcp/fail?x=${canary['the query of a request']}`, headers });
      await sendMcp(port, message, { token, headers: { 'mcp-session-id': `${session}x` } });
      await sendRaw(
        port,
        `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
      await sendRaw(port, `BREW ${path} HTTP/9\r\nAuthorization: Bearer ${token}\r\n\r\n`);
      idp.state = 'down';
      await gate.waitForProcessLine(/key set|jwks/i, 15_000);
      upstream.script = (_request, response) => void response.socket?.destroy();
      assert.equal((await sendMcp(port, message, { token, headers, path })).status, 502);

      const admin = (pagePath: string, sent: string) =>
        send({
          port: gate.adminPort,
          path: pagePath,
          headers: { authorization: `Bearer ${sent}` },
        });
      const pages: Record<string, string> = {};
      const look = async () => {
        for (const page of ['/', '/config', '/status', '/healthz/live', '/healthz/ready', '/no']) {
          const [shown, hidden] = [
            await admin(page, canary['the admin token']),
            await admin(page, canary['the token of the admin port, mistyped']),
          ];
          pages[page] = (pages[page] ?? '') + shown.text + JSON.stringify(shown.headers);
          pages[`${page} without the token`] = hidden.text + JSON.stringify(hidden.headers);
        }
        pages['/metrics'] = (pages['/metrics'] ?? '') + (await gate.metrics());
      };
      await look();
      assert.match(pages['/config'] ?? '', /x-from-environment/, 'the page is the real one');

      // Reloads: one that is refused, with the secret in the field that is wrong, and one that is not.
      const good = resources(localJwks(issuer.jwk));
      const generation = async () =>
        (
          JSON.parse((await admin('/config', canary['the admin token'])).text) as {
            generation: number;
          }
        ).generation;
      gate.write(good.replace('type: RequestHeaderModifier', 'type: ${CANARY}'));
      await gate.waitForProcessLine(/was refused/, 15_000);
      await look();
      gate.write(good);
      await until('the reload', async () => (await generation()) > 1);
      await look();
      await gate.stop();
      pages['the access log'] = gate.accessLog();
      pages['the process log'] = gate.processLog();
      assert.match(pages['the access log'], /alice/, 'the log is the real one');
      assert.match(
        pages['the access log'],
        /default\/deny/,
        'a rule from the environment has denied',
      );
      const keyLines = pair.keyPem.split('\n').filter((line) => /^[^-]{40}/.test(line));
      assert.ok(keyLines.length > 0);
      seen["the private key of the listener's certificate"] = keyLines[0] ?? '';

      for (const [what, secret] of Object.entries(seen)) {
        assert.ok(secret.length >= 30, `${what} is too short to be found`);
        for (const [where, text] of Object.entries(pages)) {
          assert.ok(!text.includes(secret), `${what} is in ${where}`);
        }
      }
    });
  });
}
