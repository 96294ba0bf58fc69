/**
 * Installs the test peers with `npm ci`, unless this very lockfile is already installed here for this
 * platform. `npm test` calls it each time, so the usual case must cost nothing.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const stampFile = `${folder}node_modules/.installed`;

const wanted = createHash('sha256')
  .update(readFileSync(`${folder}package.json`))
  .update(readFileSync(`${folder}package-lock.json`))
  .update(`${process.platform}-${process.arch}`)
  .digest('hex');

if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== wanted) {
  console.log('Installing the test peers (MCP clients and servers) ...');
  const options = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // Under `npm run`, npm_execpath is npm's own script: the same npm, and no shell in between.
  const npm = process.env.npm_execpath;
  const { status, error } =
    npm === undefined
      ? spawnSync('npm', options, { cwd: folder, stdio: 'inherit' })
      : spawnSync(process.execPath, [npm, ...options], { cwd: folder, stdio: 'inherit' });
  if (status !== 0) {
    console.error(`The test peers could not be installed${error ? `: ${error.message}` : '.'}`);
    process.exit(1);
  }
  writeFileSync(stampFile, wanted);
}
