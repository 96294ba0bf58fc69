/** The values of a completion lead to resources; a caller is told of those that the rules let it read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginEvents, json, startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { sendMcp } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, KGATEWAY_GROUP, localJwks, rbac } from '../harness/resources.ts';
import { createIssuer } from '../harness/token-issuer.ts';

const template = 'docs://{id}';
const message = {
  jsonrpc: '2.0',
  id: 7,
  method: 'completion/complete',
  params: { ref: { type: 'ref/resource', uri: template }, argument: { name: 'id', value: '' } },
};

for (const form of ['JSON', 'events']) {
  test(`a completion in ${form} names nothing that the caller may not read`, async (t) => {
    const values = ['public-1', 'payroll', 'public-2', 'docs://payroll', 'docs://public-1'];
    const answer = {
      jsonrpc: '2.0',
      id: 7,
      result: { completion: { values, total: 5, hasMore: false } },
    };
    const upstream = await startFakeUpstream(t, (request, response) => {
      if (form === 'JSON') return json(answer)(request, response);
      beginEvents(response);
      response.end(`event: message\ndata: ${JSON.stringify(answer)}\n\n`);
    });
    const issuer = await createIssuer();
    const target = { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' };
    const rule = `jwt.sub == "root" || mcp.resource.name == "${template}" || mcp.resource.name.startsWith("docs://public")`;
    const gate = await startGate(t, {
      upstreamPort: upstream.port,
      more: [
        glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
        glooPolicy(rbac(rule), { name: 'resources', target }),
      ],
    });
    const ask = async (sub: string): Promise<unknown> => {
      const { status, text } = await sendMcp(gate.port, message, {
        token: await issuer.sign({ sub }),
      });
      assert.equal(status, 200, text);
      const data = form === 'JSON' ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? '');
      return (JSON.parse(data) as { result: { completion: unknown } }).result.completion;
    };
    assert.deepEqual(await ask('root'), { values, total: 5, hasMore: false });
    assert.deepEqual(await ask('alice'), {
      values: ['public-1', 'public-2', 'docs://public-1'],
      total: 3,
      hasMore: false,
    });
  });
}
