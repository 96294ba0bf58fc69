/**
 * Several servers behind one Backend are one MCP server to its clients: with the official clients and servers, one
 * of which is killed and started again in the middle.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startEverythingServer } from '../harness/everything-server.ts';
import { freePort } from '../harness/free-port.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import { federation, gateway, route, yaml, glooPolicy, rbac } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';
import {
  startPagedServer,
  startSdk2Server,
  type RestartableServer,
} from '../peers/federation-servers.ts';
import { connectSdk1Answering } from '../peers/sdk1-answering-client.ts';
import { connectSdk1 } from '../peers/sdk1-client.ts';
import { connectSdk2 } from '../peers/sdk2-client.ts';

/** Whether targets with `protocol: SSE` can be loaded. */

let postern: Postern;
let paged: RestartableServer;
let base: string;

const BACKEND = { group: 'agentgateway.dev', kind: 'AgentgatewayBackend' };
const to = (name: string, prefix: string) =>
  route({ name, prefix, rule: { backendRefs: [{ ...BACKEND, name }] } });

before(async () => {
  const everything = await startEverythingServer(fileScope);
  paged = await startPagedServer(fileScope, 1000, 50);
  const modern = await startSdk2Server(fileScope, { modernOnly: true });
  const both = await startSdk2Server(fileScope, { modernOnly: false });
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  const gone = await freePort();
  const static_ = (name: string, at: number) => ({ name, static: { host: '127.0.0.1', port: at } });
  const all = [static_('everything', everything.port), static_('paged', paged.port)];
  const sseOnly = await startEverythingServer(fileScope, { transport: 'sse' });
  const withSse = {
    name: 'old',
    static: {
      host: '127.0.0.1',
      port: sseOnly.port,
      protocol: 'SSE',
    },
  };
  postern = await startPostern(fileScope, {
    resources: yaml(
      gateway({ port }),
      federation({ name: 'all', targets: all }),
      federation({ name: 'mixed', targets: [...all, static_('new', modern.port)] }),
      federation({
        name: 'modern',
        targets: [static_('new', modern.port), static_('both', both.port)],
      }),
      federation({
        name: 'open',
        failureMode: 'FailOpen',
        targets: [...all, static_('gone', gone)],
      }),
      federation({ name: 'closed', targets: [...all, static_('gone', gone)] }),
      federation({
        name: 'always',
        prefixMode: 'Always',
        targets: [static_('everything', everything.port)],
      }),
      federation({
        name: 'never',
        prefixMode: 'Never',
        targets: [...all, static_('both', both.port), static_('new', modern.port)],
      }),
      glooPolicy(
        rbac('mcp.tool.name != "tool-8" && mcp.tool.target != "new"', 'has(mcp.resource)'),
        {
          name: 'never',
          target: { ...BACKEND, name: 'never' },
        },
      ),
      federation({ name: 'sse', targets: [...all, withSse, static_('new', modern.port)] }),
      federation({ name: 'ruled', targets: all }),
      glooPolicy(
        rbac(
          'mcp.tool.target == "everything" && mcp.tool.name == "echo"',
          'mcp.tool.name == "tool-7"',
        ),
        { name: 'ruled', target: { ...BACKEND, name: 'ruled' } },
      ),
      ...['all', 'mixed', 'modern', 'open', 'closed', 'always', 'ruled', 'never', 'sse'].map(
        (name) => to(name, `/${name}`),
      ),
    ),
    options: ['--federation-timeout', '5s'],
  });
});

const names = ({ tools }: { readonly tools: readonly { readonly name: string }[] }) =>
  tools.map(({ name }) => name);

describe('two servers of the legacy era', () => {
  test('SDK 1.x: the tools of both are listed, over all pages, and can be called', async (t) => {
    const client = await connectSdk1(t, `${base}/all`);
    const listed = names(await client.listTools());
    assert.ok(listed.includes('everything_echo'));
    assert.equal(listed.filter((name) => name.startsWith('paged_tool-')).length, 1000);
    const echo = await client.callTool({ name: 'everything_echo', arguments: { message: 'hi' } });
    assert.match(JSON.stringify(echo), /Echo: hi/);
    const paged = await client.callTool({ name: 'paged_tool-999', arguments: { a: 1 } });
    assert.match(JSON.stringify(paged), /tool-999 \{\\"a\\":1\}/);
    await assert.rejects(client.callTool({ name: 'nowhere_echo' }), /Unknown tool: nowhere_echo/);
    await assert.rejects(client.callTool({ name: 'echo' }), /Unknown tool: echo/);
  });

  test('they introduce themselves as one', async (t) => {
    const client = await connectSdk1(t, `${base}/all`);
    assert.equal(client.getServerVersion()?.name, 'postern/default/all');
    const capabilities = client.getServerCapabilities();
    assert.ok(capabilities?.tools !== undefined && capabilities.logging !== undefined);
    assert.match(client.getInstructions() ?? '', /\[paged\]\nHas many tools\./);
    await client.ping();
    await client.setLoggingLevel('error');
  });

  test('resources, templates, prompts and completions are found under their target', async (t) => {
    const client = await connectSdk1(t, `${base}/all`);
    const { resources } = await client.listResources();
    const uri = resources[0]?.uri ?? '';
    assert.match(uri, /^everything\+/);
    const { contents } = await client.readResource({ uri });
    assert.equal(contents[0]?.uri, uri);
    const { resourceTemplates } = await client.listResourceTemplates();
    assert.ok(resourceTemplates.every(({ uriTemplate }) => uriTemplate.startsWith('everything+')));
    const { prompts } = await client.listPrompts();
    assert.ok(prompts.every(({ name }) => name.startsWith('everything_')));
    const prompt = await client.getPrompt({ name: 'everything_simple-prompt' });
    assert.ok(prompt.messages.length > 0);
    const links = await client.callTool({
      name: 'everything_get-resource-links',
      arguments: { count: 2 },
    });
    const text = JSON.stringify(links);
    assert.match(text, /"uri":"everything\+demo:/);
  });

  test('SDK 2.x in auto mode works as well', async (t) => {
    const client = await connectSdk2(t, `${base}/all`);
    const listed = names(await client.listTools());
    assert.ok(listed.includes('everything_echo') && listed.includes('paged_tool-0'));
    const echo = await client.callTool({ name: 'everything_echo', arguments: { message: 'hi' } });
    assert.match(JSON.stringify(echo), /Echo: hi/);
  });

  test('progress comes through', async (t) => {
    const client = await connectSdk1(t, `${base}/all`);
    const seen: number[] = [];
    await client.callTool(
      { name: 'everything_trigger-long-running-operation', arguments: { duration: 1, steps: 4 } },
      undefined,
      { onprogress: ({ progress }) => seen.push(progress) },
    );
    assert.deepEqual(seen, [1, 2, 3, 4]);
  });

  test('elicitation, sampling and roots reach the client, and its answers the server', async (t) => {
    const client = await connectSdk1Answering(t, `${base}/all`);
    const elicited = await client.callTool({ name: 'everything_trigger-elicitation-request' });
    assert.match(JSON.stringify(elicited), /Alice/);
    const sampled = await client.callTool({
      name: 'everything_trigger-sampling-request',
      arguments: { prompt: 'say it', maxTokens: 10 },
    });
    assert.match(JSON.stringify(sampled), /sampled words/);
    await until('the roots to arrive', async () => {
      const roots = await client.callTool({ name: 'everything_get-roots-list' });
      return JSON.stringify(roots).includes('file:///home/test');
    });
  });

  test('one that is killed fails alone, and works again on a session of its own after a restart', async (t) => {
    const client = await connectSdk1(t, `${base}/all`);
    await client.callTool({ name: 'paged_tool-1' });
    await paged.kill();
    const echo = await client.callTool({ name: 'everything_echo', arguments: { message: 'on' } });
    assert.match(JSON.stringify(echo), /Echo: on/);
    await assert.rejects(client.callTool({ name: 'paged_tool-1' }));
    await assert.rejects(client.listTools(), /upstream failed/);
    await postern.waitForAccessLine(/mcp\.method\.name=tools\/list/);
    await paged.start();
    const again = await client.callTool({ name: 'paged_tool-1' });
    assert.match(JSON.stringify(again), /tool-1/);
    assert.ok(names(await client.listTools()).includes('paged_tool-3'));
  });
});

describe('a target that is not there', () => {
  test('FailClosed: connecting fails, and the client is told nothing of it', async (t) => {
    await assert.rejects(connectSdk1(t, `${base}/closed`), /upstream failed/);
    await postern.waitForAccessLine(/http\.path=\/closed .*detail=.*failed for want of gone/);
  });

  test('FailOpen: it is left out, and named in the log', async (t) => {
    const client = await connectSdk1(t, `${base}/open`);
    const listed = names(await client.listTools());
    assert.ok(listed.includes('everything_echo') && listed.includes('paged_tool-0'));
    await postern.waitForAccessLine(/http\.path=\/open .*detail=.*answered without gone/);
  });
});

test('prefixMode Always: a single target is named too', async (t) => {
  const client = await connectSdk1(t, `${base}/always`);
  const echo = await client.callTool({ name: 'everything_echo', arguments: { message: 'x' } });
  assert.match(JSON.stringify(echo), /Echo: x/);
});

describe('prefixMode Never', () => {
  for (const connect of [connectSdk1, connectSdk2]) {
    test(`${connect.name}: a tool that was not listed yet is found, the first target that has it wins`, async (t) => {
      const client = await connect(t, `${base}/never`);
      const echo = await client.callTool({ name: 'echo', arguments: { message: 'x' } });
      assert.match(JSON.stringify(echo), /Echo: x/);
      assert.match(JSON.stringify(await client.callTool({ name: 'greet' })), /hello/);
      await assert.rejects(client.callTool({ name: 'tool-8' }), /Unknown tool: tool-8/);
      await assert.rejects(client.callTool({ name: 'no-such' }), /Unknown tool: no-such/);
      const listed = names(await client.listTools());
      assert.ok(listed.includes('tool-9') && !listed.includes('tool-8'));
      assert.equal(listed.filter((name) => name === 'greet').length, 1);
      const read = await client.readResource({ uri: 'demo://resource/dynamic/text/1' });
      assert.equal(read.contents[0]?.uri, 'demo://resource/dynamic/text/1');
    });
  }
});

test('an SSE-only server is one of them', async (t) => {
  const client = await connectSdk1Answering(t, `${base}/sse`);
  const listed = names(await client.listTools());
  for (const name of ['old_echo', 'everything_echo', 'paged_tool-0', 'new_greet']) {
    assert.ok(listed.includes(name), name);
  }
  const echo = await client.callTool({ name: 'old_echo', arguments: { message: 'old' } });
  assert.match(JSON.stringify(echo), /Echo: old/);
  const elicited = await client.callTool({ name: 'old_trigger-elicitation-request' });
  assert.match(JSON.stringify(elicited), /Alice/);
});

test('rules see the original name and the target', async (t) => {
  const client = await connectSdk1(t, `${base}/ruled`);
  assert.deepEqual(names(await client.listTools()), ['everything_echo', 'paged_tool-7']);
  await client.callTool({ name: 'paged_tool-7' });
  const outcomeOf = (tool: string): Promise<string> =>
    client.callTool({ name: `paged_${tool}` }).then(
      (result) => JSON.stringify(result).replaceAll(tool, 'NAME'),
      (error: unknown) => String(error).replaceAll(tool, 'NAME'),
    );
  assert.equal(await outcomeOf('tool-8'), await outcomeOf('no-such-tool'));
});

describe('servers of both eras', () => {
  test('SDK 1.x: what a modern server wants to know is asked of the legacy client', async (t) => {
    const client = await connectSdk1Answering(t, `${base}/mixed`);
    const answer = await client.callTool({ name: 'new_ask' });
    assert.match(JSON.stringify(answer), /you are .*Alice/);
  });

  const clients = [
    { name: 'SDK 1.x', connect: connectSdk1 },
    { name: 'SDK 2.x in auto mode', connect: connectSdk2 },
  ];
  for (const { name, connect } of clients) {
    for (const backend of ['mixed', 'modern']) {
      test(`${name} uses all of ${backend}`, async (t) => {
        const client = await connect(t, `${base}/${backend}`);
        const listed = names(await client.listTools());
        assert.ok(listed.includes('new_greet'), listed.slice(0, 20).join());
        const greeted = await client.callTool({ name: 'new_greet' });
        assert.match(JSON.stringify(greeted), /hello from generation 2/);
        const read = await client.readResource({ uri: 'new+test://open' });
        assert.equal(read.contents[0]?.uri, 'new+test://open');
        const other = backend === 'mixed' ? 'paged_tool-5' : 'both_greet';
        assert.match(JSON.stringify(await client.callTool({ name: other })), /tool-5|hello/);
      });
    }
  }
});
