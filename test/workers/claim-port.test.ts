import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { claimPort, type PortClaim } from '../../src/workers/claim-port.ts';
import { freePort } from '../harness/free-port.ts';
import { endWithScope, type Scope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';

const onLinux = { skip: process.platform !== 'linux' };

async function claimed(scope: Scope, address: string, port: number): Promise<PortClaim> {
  const claim = await claimPort(address, port);
  if (claim instanceof Error) throw claim;
  scope.after(() => claim.release());
  return claim;
}

async function refused(address: string, port: number): Promise<string> {
  const claim = await claimPort(address, port);
  assert.ok(claim instanceof Error, 'was claimed');
  assert.match(
    claim.message,
    new RegExp(`^cannot listen on ${address.replaceAll('.', '\\.')} port ${port}: `),
  );
  return claim.message;
}

/** A process that opens the port with the native server, shared (SO_REUSEPORT). */
async function shareFromAnotherProcess(scope: Scope, address: string, port: number): Promise<void> {
  const child = fork(new URL('shared-listener.ts', import.meta.url), [address, String(port)], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  endWithScope(scope, child);
  await new Promise((resolve) => child.once('message', resolve));
}

describe('a port', () => {
  test(
    'is claimed once, and the second one is told that another Postern has it',
    onLinux,
    async (t) => {
      const port = await freePort();
      await claimed(t, '127.0.0.1', port);
      assert.match(await refused('127.0.0.1', port), /another Postern has it/);
    },
  );

  test('is free for workers while it is claimed', async (t) => {
    const port = await freePort();
    await claimed(t, '127.0.0.1', port);
    await shareFromAnotherProcess(t, '127.0.0.1', port);
  });

  test('that was released can be claimed again', async (t) => {
    const port = await freePort();
    const first = await claimed(t, '127.0.0.1', port);
    first.release();
    await until('the claim', async () => {
      const claim = await claimPort('127.0.0.1', port);
      if (claim instanceof Error) return false;
      claim.release();
      return true;
    });
  });

  test('on which another process listens is refused, and can be claimed when it is gone', async (t) => {
    const port = await freePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    assert.match(await refused('127.0.0.1', port), /another process has it/);
    await new Promise((resolve) => server.close(resolve));
    await claimed(t, '127.0.0.1', port);
  });

  test('that another process shares is refused too', async (t) => {
    const port = await freePort();
    await shareFromAnotherProcess(t, '127.0.0.1', port);
    assert.match(await refused('127.0.0.1', port), /another process has it/);
  });

  test('that another process shares on all addresses is refused on one', async (t) => {
    const port = await freePort();
    await shareFromAnotherProcess(t, '0.0.0.0', port);
    await refused('127.0.0.1', port);
  });

  test('and another are two', async (t) => {
    await claimed(t, '127.0.0.1', await freePort());
    await claimed(t, '127.0.0.1', await freePort());
  });

  test('on an address that is not this machine\u2019s is refused', async () => {
    await refused('192.0.2.1', await freePort());
  });
});
