/**
 * The demo behind `npm start`: a real MCP server, Postern in front of it, and commands to try.
 *
 *   npm start                                        the resources in this folder
 *   npm start -- -f config/examples/02-jwt.yaml      other resources, with any option of `postern run`
 *
 * Ctrl-C stops both. When either ends by itself, the other is stopped too and the exit code is 1.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const LOOPBACK = '127.0.0.1';
/** The port that mcp-server.yaml names. */
const MCP_SERVER_PORT = 3001;
const GATEWAY_PORT = 8080;
const START_TIMEOUT_MS = 20_000;
/** How long open streams may go on after Ctrl-C. */
const DRAIN_TIMEOUT_MS = 2000;
const STOP_TIMEOUT_MS = DRAIN_TIMEOUT_MS + 5000;

const here = fileURLToPath(new URL('.', import.meta.url));
const gatewayCli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const folder = relative(process.cwd(), here) || '.';

const userOptions = process.argv.slice(2);
const hasResources = userOptions.some((option) => /^(-f|--file)(=|$)/.test(option));
const adminAddress = userOption('--admin-address') ?? `${LOOPBACK}:15000`;
const metricsAddress = userOption('--metrics-address') ?? `${LOOPBACK}:15020`;
const gatewayOptions = [...(hasResources ? [] : ['-f', here]), ...userOptions];

/** The running children, by what we call them. */
const children = new Map();
let stopping = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0));

try {
  await refuseTakenPort(MCP_SERVER_PORT, 'the demo MCP server');
  const mcpServer = start('the demo MCP server', [
    '--import',
    `${here}bind-loopback.mjs`,
    createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js'),
    'streamableHttp',
  ]);
  await until(() => accepts(MCP_SERVER_PORT), mcpServer);

  const gateway = start('Postern', [gatewayCli, 'run', ...demoOptions(), ...gatewayOptions]);
  await until(isGatewayReady, gateway);

  process.stdout.write(welcome());
  gateway.process.stdout.pipe(process.stdout);
  gateway.process.stderr.pipe(process.stderr);
} catch (error) {
  if (!stopping) {
    console.error(error instanceof Error ? error.message : error);
    await stop(1);
  }
}

/** The value of an option as the user gave it: `--name=value` or `--name value`. */
function userOption(name) {
  const index = userOptions.findIndex((option) => option.split('=')[0] === name);
  if (index === -1) return undefined;
  const option = userOptions[index];
  return option.includes('=') ? option.slice(name.length + 1) : userOptions[index + 1];
}

/** What the demo sets where the user does not: above all, that it is for this machine alone. */
function demoOptions() {
  return [
    ['--listen-address', LOOPBACK],
    ['--admin-address', adminAddress],
    ['--metrics-address', metricsAddress],
    ['--drain-timeout', `${DRAIN_TIMEOUT_MS}ms`],
  ].flatMap(([name, value]) => (userOption(name) === undefined ? [name, value] : []));
}

/** Starts a Node program. What it prints is kept back until the demo is up, or told if it never is. */
function start(name, options) {
  const child = spawn(process.execPath, options, {
    env: { ...process.env, PORT: String(MCP_SERVER_PORT) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a group of its own: the terminal sends Ctrl-C to this process alone, which stops the others.
    detached: true,
  });
  const started = { name, process: child, errors: '', ended: false };
  children.set(name, started);
  child.stderr.setEncoding('utf8').on('data', (text) => {
    started.errors = (started.errors + text).slice(-8192);
  });
  child.stdout.setEncoding('utf8');
  // The MCP server reports every request on stdout; only the gate's own log is of interest here.
  if (name !== 'Postern') child.stdout.resume();
  child.once('exit', (code, signal) => {
    started.ended = true;
    children.delete(name);
    if (stopping) return;
    console.error(`${started.errors}\n${name} ended by itself (${signal ?? `exit code ${code}`}).`);
    void stop(1);
  });
  return started;
}

/** Asks again and again, until the answer is yes or the child has ended or the time is up. */
async function until(isUp, child) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isUp())) {
    if (child.ended || stopping) throw new Error(`${child.name} did not start.`);
    if (Date.now() > deadline) {
      throw new Error(`${child.errors}\n${child.name} was not ready in ${START_TIMEOUT_MS} ms.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function refuseTakenPort(port, name) {
  if (await accepts(port)) {
    throw new Error(
      `Port ${port} is taken, and ${name} needs it. Stop what listens there and try again.`,
    );
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, LOOPBACK);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function isGatewayReady() {
  try {
    const answer = await fetch(`http://${adminAddress}/healthz/ready`);
    return answer.ok;
  } catch {
    return false;
  }
}

/** Ends whatever still runs, gently first, and then this process. */
async function stop(exitCode) {
  if (stopping) return;
  stopping = true;
  await Promise.all(
    [...children.values()].map(async ({ process: child }) => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await gone;
      clearTimeout(impatience);
    }),
  );
  process.exit(exitCode);
}

function welcome() {
  const url = `http://localhost:${GATEWAY_PORT}/mcp`;
  const bearer = (name) => `"Authorization: Bearer $(cat ${folder}/${name}.jwt)"`;
  const initialize = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'curl', version: '1' },
    },
  });
  const curl = (header) =>
    [
      `curl -i ${url}${header === null ? '' : ` -H ${header}`} \\`,
      `    -H "Content-Type: application/json" -H "Accept: application/json, text/event-stream" \\`,
      `    -d '${initialize}'`,
    ].join('\n');
  const inspector = 'npx -y @modelcontextprotocol/inspector';

  return `
Postern is up. Ctrl-C stops everything.

  MCP endpoint   ${url}
  MCP server     http://${LOOPBACK}:${MCP_SERVER_PORT}/mcp (server-everything, behind the gate)
  Admin          http://${adminAddress}/config, /healthz/live, /healthz/ready
  Metrics        http://${metricsAddress}/metrics
  Resources      ${hasResources ? 'as given' : `${folder}/*.yaml: edit and save, they are read again at once`}

Try it in a second terminal, in this folder.

Without a token: refused.
  ${curl(null)}

As Alice: welcome.
  ${curl(bearer('alice'))}

As Bob, whose token is as good, but whom the rule does not name: refused.
  ${curl(bearer('bob'))}

The MCP Inspector on the command line, as Alice:
  ${inspector} --cli ${url} --transport http --stored-auth-only \\
    --header ${bearer('alice')} \\
    --method tools/call --tool-name echo --tool-arg message=hello

The MCP Inspector in the browser, as Alice (the same header can be typed in by hand there):
  ${inspector} --transport http --server-url ${url} \\
    --header ${bearer('alice')}

One line for each request follows.

`;
}
