/** The gate needs no root and no disk: it runs as a nobody on a file system that nobody can write to. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { processTree } from '../harness/memory.ts';
import { posternCli, startPostern } from '../harness/postern.ts';
import {
  gateway,
  glooJwt,
  glooPolicy,
  localJwks,
  mcpBackend,
  route,
  tlsSecret,
  yaml,
} from '../harness/resources.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { createAuthority } from '../peers/certificates.ts';

const NOBODY = '65534';
// A mount namespace of its own, in which every mount that could hold a file is made read-only.
const script = [
  'set -e',
  'mount --make-rprivate /',
  `for folder in / $(awk '$3 !~ /^(proc|sysfs|devpts|cgroup|cgroup2|mqueue)$/ && $2 !~ /^.(dev|proc|sys)/ {print $2}' /proc/mounts); do`,
  '  test "$folder" = / || mount -o remount,ro,bind "$folder" 2>/dev/null || true',
  'done',
  'mount -o remount,ro,bind /',
  'cd /',
  'exec "$@"',
].join('\n');
const readOnly = ['unshare', '-m', 'sh', '-c', script, 'sh'];
const asNobody = [
  'setpriv',
  '--reuid',
  NOBODY,
  '--regid',
  NOBODY,
  '--clear-groups',
  '--no-new-privs',
];
const through = [...readOnly, ...asNobody];

/** Why this machine can't do it; `false` where it can. */
function unable(): string | false {
  if (process.getuid?.() !== 0) return 'only root can become somebody else';
  const probe = (command: readonly string[]) => {
    const [program = '', ...rest] = [...through, ...command];
    return spawnSync(program, rest, { encoding: 'utf8', timeout: 20_000 });
  };
  if (probe(['true']).status !== 0) return 'this machine allows no mount namespace';
  const cli = probe([process.execPath, posternCli, 'version']);
  if (cli.status !== 0) return 'nobody can not read this checkout';
  for (const folder of [tmpdir(), process.cwd()]) {
    const written = probe(['touch', join(folder, 'postern-read-only-probe')]);
    if (written.status === 0) return `${folder} can be written to after all`;
  }
  return false;
}

test(
  'as a nobody with a read-only file system it serves HTTP and HTTPS, reloads and drains',
  { skip: unable() },
  async (t) => {
    const upstream = await startFakeUpstream(t);
    const issuer = await createIssuer();
    const authority = await createAuthority();
    const pair = await authority.issue({ dns: ['gate.test'] });
    const [port, tlsPort] = [await freePort(), await freePort()];
    const resources = (prefix: string) =>
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
        route({ prefix }),
        glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
      );
    const folder = mkdtempSync(join(tmpdir(), 'postern-read-only-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o755);
    const file = join(folder, 'resources.yaml');
    writeFileSync(file, resources('/mcp'));
    const shared = () => readdirSync('/dev/shm');
    const before = shared();

    const gate = await startPostern(t, {
      paths: [folder],
      through,
      options: ['--workers=2'],
      env: { HOME: '/nonexistent', TMPDIR: '/nonexistent' },
    });
    for (const pid of processTree(gate.pid) ?? []) {
      assert.match(
        readFileSync(`/proc/${pid}/status`, 'utf8'),
        new RegExp(`^Uid:\\s+${NOBODY}\\s`, 'm'),
      );
    }
    const token = await issuer.sign({ sub: 'alice' });
    const tls = { serverName: 'gate.test', ca: authority.certPem };
    assert.equal((await sendMcp(port, ping, { token })).status, 200);
    assert.equal((await sendMcp(tlsPort, ping, { token, tls })).status, 200);
    assert.equal((await sendMcp(port, ping)).status, 403);
    assert.equal((await gate.admin('/config')).status, 200);
    assert.match(await gate.metrics(), /^postern_requests_total/m);

    writeFileSync(file, resources('/elsewhere'));
    await gate.waitForProcessLine(/the new configuration is in force/, 20_000);
    assert.equal((await sendMcp(port, ping, { token, path: '/elsewhere' })).status, 200);
    assert.equal((await sendMcp(tlsPort, ping, { token, tls, path: '/elsewhere' })).status, 200);
    assert.deepEqual(
      shared().filter((name) => !before.includes(name) && /postern|node/.test(name)),
      [],
    );
    assert.doesNotMatch(gate.processLog(), /EROFS|EACCES|read-only/i);
    await gate.stop();
  },
);
