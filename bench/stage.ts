/** The stage of a run: which core belongs to whom, the upstream, folders, and how a subject is started on it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../test/harness/free-port.ts';
import { start, untilListening, type Started } from './process.ts';
import type { RunningSubject, Setting, Subject } from './subjects/subject.ts';
import { createIdentities, type Identities } from './tokens.ts';

export interface Stage {
  readonly identities: Identities;
  readonly upstream: Started;
  readonly upstreamPort: number;
  /** For the subject, and for load and upstream; `null` on a machine with one core. */
  readonly subjectCores: string | null;
  readonly loadCores: string | null;
  startSubject(
    subject: Subject,
    setting: Pick<Setting, 'duty' | 'workers' | 'accessLog'>,
  ): Promise<RunningSubject>;
  close(): Promise<void>;
}

export async function openStage(profileFolder: string | null): Promise<Stage> {
  const cores = availableParallelism();
  const subjectCores = cores < 2 ? null : '0';
  const loadCores = cores < 2 ? null : cores === 2 ? '1' : `1-${cores - 1}`;
  // The generator of fixed rates runs in here: on the subject's core it would measure itself.
  if (loadCores !== null) moveTo(loadCores);
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const upstreamPort = await freePort();
  const upstream = start({
    command: process.execPath,
    args: [
      ...['--import', import.meta.resolve('tsx')],
      fileURLToPath(new URL('upstream/server.ts', import.meta.url)),
      String(upstreamPort),
    ],
    cores: loadCores,
    env: { UWS_HTTP_MAX_HEADERS_SIZE: '65536' },
  });
  await untilListening(upstreamPort, upstream);
  const identities = createIdentities();
  return {
    identities,
    upstream,
    upstreamPort,
    subjectCores,
    loadCores,
    async startSubject(subject, { duty, workers, accessLog }) {
      return subject.start({
        ...{ duty, workers, accessLog, upstreamPort, identities, profileFolder },
        cores: workers > 1 && cores > 1 ? `0-${cores - 1}` : subjectCores,
        folder: mkdtempSync(join(folder, `${subject.name}-`)),
        port: await freePort(),
      });
    },
    async close() {
      await upstream.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Keeps all threads of this process on some cores; without the tool for it they stay where they are. */
function moveTo(cores: string): void {
  try {
    execFileSync('taskset', ['-a', '-c', '-p', cores, String(process.pid)], { stdio: 'ignore' });
  } catch {
    process.stderr.write('taskset is absent: nothing is pinned\n');
  }
}
