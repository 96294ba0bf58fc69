#!/usr/bin/env node
/**
 * The command line: `postern run | check | token | version`. The only file that decides on an exit code.
 */

import { check } from './commands/check.ts';
import { helpText } from './commands/help.ts';
import { run } from './commands/run.ts';
import { token } from './commands/token.ts';
import { parseOptions, type ParsedOptions } from './options.ts';
import { readVersion } from './version.ts';

type Parsed = Extract<ParsedOptions, { ok: true }>;

/** Each returns the exit code. */
const commands: Readonly<Record<string, (parsed: Parsed) => Promise<number>>> = {
  run,
  check,
  token,
};

const USAGE_EXIT_CODE = 2;

async function main(argv: readonly string[]): Promise<number> {
  const [name = '', ...rest] = argv;
  if (name === 'version' || name === '--version') {
    process.stdout.write(`postern ${readVersion()}\n`);
    return 0;
  }
  if (name === 'help' || argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(helpText());
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const what = name === '' ? 'no command given' : `unknown command ${JSON.stringify(name)}`;
    return usage([`${what}; the commands are ${Object.keys(commands).join(', ')}, version, help`]);
  }
  const parsed = parseOptions(rest, process.env);
  if (!parsed.ok) return usage(parsed.problems);
  if (parsed.options.files.length === 0) {
    return usage([
      'no resources given; name files or folders with -f PATH, or - for standard input',
    ]);
  }
  return command(parsed);
}

function usage(problems: readonly string[]): number {
  for (const problem of problems) process.stderr.write(`postern: ${problem}\n`);
  process.stderr.write('Try: postern --help\n');
  return USAGE_EXIT_CODE;
}

// exitCode, not exit(): what was written to a pipe is still on its way.
process.exitCode = await main(process.argv.slice(2));
