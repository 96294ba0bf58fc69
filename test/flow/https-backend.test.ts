import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import {
  backendTls,
  caConfigMap,
  gateway,
  mcpBackend,
  route,
  yaml,
  type Resource,
} from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createAuthority } from '../peers/certificates.ts';

const GOOD_CA = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'good-ca' }] };
const OTHER_CA = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'other-ca' }] };

interface Row {
  readonly name: string;
  readonly validation: Resource;
  readonly reaches: boolean;
}

/** The server's certificate says mcp.test, also.test and spiffe://test/mcp. */
const rows: readonly Row[] = [
  {
    name: 'right authority, right hostname',
    validation: { ...GOOD_CA, hostname: 'mcp.test' },
    reaches: true,
  },
  {
    name: 'right authority, wrong hostname',
    validation: { ...GOOD_CA, hostname: 'other.test' },
    reaches: false,
  },
  {
    name: 'wrong authority',
    validation: { ...OTHER_CA, hostname: 'mcp.test' },
    reaches: false,
  },
  {
    name: "the system's authorities, which do not know ours",
    validation: { wellKnownCACertificates: 'System', hostname: 'mcp.test' },
    reaches: false,
  },
  {
    name: 'several authorities, the right one last',
    validation: {
      caCertificateRefs: [...OTHER_CA.caCertificateRefs, ...GOOD_CA.caCertificateRefs],
      hostname: 'mcp.test',
    },
    reaches: true,
  },
  {
    name: 'a subjectAltName that the certificate has, whatever the hostname',
    validation: {
      ...GOOD_CA,
      hostname: 'sni.test',
      subjectAltNames: [{ type: 'Hostname', hostname: 'also.test' }],
    },
    reaches: true,
  },
  {
    name: 'subjectAltNames that the certificate lacks, though it has the hostname',
    validation: {
      ...GOOD_CA,
      hostname: 'mcp.test',
      subjectAltNames: [{ type: 'Hostname', hostname: 'absent.test' }],
    },
    reaches: false,
  },
  {
    name: 'a URI among the subjectAltNames',
    validation: {
      ...GOOD_CA,
      hostname: 'sni.test',
      subjectAltNames: [{ type: 'URI', uri: 'spiffe://test/mcp' }],
    },
    reaches: true,
  },
  {
    name: 'a URI that the certificate lacks',
    validation: {
      ...GOOD_CA,
      hostname: 'mcp.test',
      subjectAltNames: [{ type: 'URI', uri: 'spiffe://test/other' }],
    },
    reaches: false,
  },
];

describe('an HTTPS backend', () => {
  let postern: Postern;
  let port: number;
  let secure: FakeUpstream;
  let plain: FakeUpstream;

  before(async () => {
    const authority = await createAuthority();
    const other = await createAuthority('Other CA');
    const pair = await authority.issue({
      dns: ['mcp.test', 'also.test'],
      uri: ['spiffe://test/mcp'],
    });
    secure = await startFakeUpstream(fileScope, undefined, pair);
    plain = await startFakeUpstream(fileScope);
    port = await freePort();
    const backends = rows.flatMap(({ validation }, index) => [
      mcpBackend({ name: `row-${index}`, port: secure.port }),
      backendTls(validation, `row-${index}`),
      route({ name: `row-${index}`, prefix: `/row-${index}`, backend: `row-${index}` }),
    ]);
    postern = await startPostern(fileScope, {
      resources: yaml(
        gateway({ port }),
        caConfigMap('good-ca', authority.certPem),
        caConfigMap('other-ca', other.certPem),
        ...backends,
        mcpBackend({ name: 'plain', port: plain.port }),
        backendTls({ ...GOOD_CA, hostname: 'mcp.test' }, 'plain'),
        route({ name: 'plain', prefix: '/plain', backend: 'plain' }),
      ),
    });
  });

  for (const [index, { name, reaches }] of rows.entries()) {
    test(`is ${reaches ? 'reached' : 'not reached'} with ${name}`, async () => {
      const seen = secure.requests.length;
      const answer = await sendMcp(port, ping, { path: `/row-${index}` });
      assert.equal(answer.status, reaches ? 200 : 503);
      assert.equal(secure.requests.length - seen, reaches ? 1 : 0);
      if (!reaches) assert.match(answer.text, /^upstream call failed: /);
    });
  }

  test('is never spoken to in plain text', async () => {
    const answer = await sendMcp(port, ping, { path: '/plain' });
    assert.equal(answer.status, 503);
    assert(plain.connections > 0);
    assert.equal(plain.requests.length, 0);
  });

  test('that fails leaves the reason in the log, not in the answer', async () => {
    await postern.waitForAccessLine(
      /http\.path=\/row-1 .*http\.status=503.*reason=UpstreamFailure/,
    );
  });
});
