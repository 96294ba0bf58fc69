import { optionRows } from '../options.ts';

/** What `postern --help` prints. */
export function helpText(): string {
  return `Postern stands in front of MCP servers: it verifies each client's JWT, decides with CEL rules
whether the request may pass, and streams what is allowed to the backend.

Usage:
  postern run   -f PATH [-f PATH ...] [options]     start the gate
  postern check -f PATH [-f PATH ...] [-o yaml]     check the resources without listening
  postern token TOKEN -f PATH [-f PATH ...]         say, offline, who accepts a token, or why nobody does
  postern version

Resources:
  -f, --file PATH
      a YAML or JSON file, a folder (read with its subfolders), or - for standard input; may be repeated
      (POSTERN_FILE, separated by commas)
  --strict
      an unknown field is an error, not a warning (POSTERN_STRICT=true)
  -o, --output yaml
      check: print the conditions of every resource instead of the summary

Options of run. A flag goes before its variable; durations are such as 500ms, 10s, 5m; sizes such as 64KiB, 4MiB:
${optionLines()}
  --no-reload
      do not watch the files for changes (POSTERN_NO_RELOAD=true); SIGHUP still reloads

Signals:
  SIGTERM, SIGINT   finish what runs, at the latest at the drain timeout, then exit with 0; a second one: at once
  SIGHUP            read the resources again

Exit codes: 0 success, 1 the resources or the start failed, 2 the command line is wrong.
`;
}

function optionLines(): string {
  return optionRows()
    .map(
      ({ flag, help, fallback, variable }) =>
        `  ${flag}\n      ${help}\n      (default ${fallback}; ${variable})`,
    )
    .join('\n');
}
