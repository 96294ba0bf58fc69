import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { ping, sendMcp, sendRaw } from '../harness/http-client.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import {
  gateway,
  mcpBackend,
  route,
  tlsSecret,
  yaml,
  type Resource,
} from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createAuthority, type CertificateAuthority } from '../peers/certificates.ts';
import { until } from '../harness/until.ts';

describe('HTTPS listeners that share a port', () => {
  let authority: CertificateAuthority;
  let postern: Postern;
  let port: number;
  let backend: Resource;

  const listener = (name: string, hostname: string) => ({
    name,
    hostname,
    port,
    protocol: 'HTTPS',
    tls: { mode: 'Terminate', certificateRefs: [{ name }] },
  });
  /** A header that says which route answered. */
  const stamp = (value: string) => ({
    filters: [
      {
        type: 'ResponseHeaderModifier',
        responseHeaderModifier: { set: [{ name: 'x-route', value }] },
      },
    ],
  });
  const secret = async (name: string, ...dns: string[]) =>
    tlsSecret(name, await authority.issue({ dns }));
  const resources = (...secrets: readonly Resource[]) =>
    yaml(
      gateway({
        port,
        listeners: [
          listener('one', 'one.test'),
          listener('two', 'two.test'),
          listener('wild', '*.wild.test'),
        ],
      }),
      backend,
      route({ name: 'one', sectionName: 'one', rule: stamp('one') }),
      route({ name: 'two', sectionName: 'two', rule: stamp('two') }),
      route({ name: 'wild', sectionName: 'wild', rule: stamp('wild') }),
      ...secrets,
    );

  before(async () => {
    authority = await createAuthority();
    port = await freePort();
    const upstream = await startFakeUpstream(fileScope);
    backend = mcpBackend({ port: upstream.port });
    postern = await startPostern(fileScope, {
      resources: resources(
        await secret('one', 'one.test'),
        await secret('two', 'two.test'),
        await secret('wild', '*.wild.test', 'a.b.wild.test'),
      ),
    });
  });

  const over = (serverName: string, host = serverName) =>
    sendMcp(port, ping, {
      tls: { serverName, ca: authority.certPem },
      headers: { host: `${host}:${port}` },
    });

  /** The names of the certificate that a client is shown. */
  const certificateNames = (serverName: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(
        { port, host: '127.0.0.1', servername: serverName, rejectUnauthorized: false },
        () => {
          resolve(socket.getPeerCertificate().subjectaltname ?? '');
          socket.destroy();
        },
      );
      socket.once('error', reject);
    });

  for (const [host, expected] of [
    ['one.test', 'one'],
    ['two.test', 'two'],
    ['x.wild.test', 'wild'],
    ['a.b.wild.test', 'wild'],
  ] as const) {
    test(`${host} gets its own certificate and routes`, async () => {
      const answer = await over(host);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['x-route'], expected);
    });
  }

  test('a client that asks for an unknown name gets no answer of theirs', async () => {
    const answer = await over('one.test', 'nobody.test').catch(() => undefined);
    assert([undefined, 404, 421].includes(answer?.status));
    await assert.rejects(over('nobody.test'));
  });

  test('a connection for one name does not serve the other', async () => {
    const answer = await over('one.test', 'two.test');
    assert.equal(answer.status, 421);
    assert.equal(answer.headers['x-route'], undefined);
  });

  test('plain HTTP is not answered', async () => {
    const answer = await sendRaw(port, 'GET /mcp HTTP/1.1\r\nhost: one.test\r\n\r\n');
    assert.doesNotMatch(answer, /200/);
  });

  test('a certificate is replaced by a reload', async () => {
    await postern.reload(
      resources(
        await secret('one', 'one.test', 'renewed.test'),
        await secret('two', 'two.test'),
        await secret('wild', '*.wild.test'),
      ),
    );
    await until('the new certificate', async () =>
      (await certificateNames('one.test')).includes('renewed.test'),
    );
    assert.equal((await over('one.test')).status, 200);
    assert.equal((await over('two.test')).status, 200);
  });

  test('a certificate that does not fit its key is refused and the old one stays', async () => {
    const [right, wrong] = [await authority.issue({ dns: ['one.test'] }), await createAuthority()];
    postern.write(
      resources(
        tlsSecret('one', { certPem: right.certPem, keyPem: wrong.keyPem }),
        await secret('two', 'two.test'),
        await secret('wild', '*.wild.test'),
      ),
    );
    await postern.waitForProcessLine(/Secret\/default\/one/);
    assert.equal((await over('one.test')).status, 200);
    assert(!postern.processLog().includes('PRIVATE KEY'));
  });

  test('the private keys are nowhere on the admin port', async () => {
    for (const path of ['/config', '/status']) {
      const { status, text } = await postern.admin(path);
      assert.equal(status, 200);
      assert(!text.includes('PRIVATE KEY'));
    }
  });
});
