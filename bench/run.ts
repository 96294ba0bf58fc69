/**
 * `npm run bench`: measures Postern beside its peers. `--help` lists the options.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { LoadRequest } from './load/request.ts';
import { chooseTool } from './load/tool.ts';
import { describeMachine } from './machine.ts';
import {
  halfLoad,
  measureLatency,
  measureRound,
  prepare,
  type MeasureOptions,
  type Round,
} from './measure.ts';
import { renderReport } from './report.ts';
import { summarise, type Report, type SubjectResult } from './result.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { openStage, type Stage } from './stage.ts';
import { flood } from './studies/flood.ts';
import { hiddenNames } from './studies/hidden-names.ts';
import { idleStreams, mostStreams } from './studies/idle-streams.ts';
import { latency } from './studies/latency.ts';
import { ratios } from './studies/ratios.ts';
import { reloadUnderLoad } from './studies/reload-under-load.ts';
import { streamThroughput } from './studies/stream-throughput.ts';
import { agentgateway } from './subjects/agentgateway.ts';
import { direct } from './subjects/direct.ts';
import { envoy } from './subjects/envoy.ts';
import { haproxy } from './subjects/haproxy.ts';
import { nginx } from './subjects/nginx.ts';
import { fastify, httpProxy } from './subjects/node-gateways.ts';
import { postern } from './subjects/postern.ts';
import type { Duty, RunningSubject, Subject } from './subjects/subject.ts';
import { traefik } from './subjects/traefik.ts';

const subjects = [
  ...[direct, postern, haproxy, nginx, envoy, agentgateway, traefik, fastify, httpProxy],
];

const studies = [
  ratios,
  latency,
  idleStreams(mostStreams()),
  streamThroughput,
  flood,
  reloadUnderLoad,
  hiddenNames,
];

const HELP = `npm run bench -- [options]
  --scenario NAME   measure these only (repeat, or separate with commas)
  --study NAME      run these studies only (repeat, or separate with commas)
  --subject NAME    with these only
  --seconds N       length of one round (5)
  --rounds N        rounds of each subject, alternating; the median counts (5)
  --connections N   of the load tool (64)
  --load TOOL       autocannon, wrk, h2load, or auto: wrk, else h2load, where it is installed, since
                    they leave the proxy more of the machine (auto). What a tool can't send is
                    autocannon's: both of them tokens that must each be seen once, and h2load all
                    loads of several tokens. h2load speaks HTTP/1.1 here; it says nothing of a request
                    that is never answered, and writes a log of up to 256 MiB, for statuses and
                    percentiles are in no other place
  --out NAME        keep the result as bench/results/NAME.json
  --profile         write CPU profiles of Postern's processes to bench/profiles
  --list            name the scenarios and subjects, and say which are installed
`;

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true },
    study: { type: 'string', multiple: true },
    subject: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    load: { type: 'string', default: 'auto' },
    out: { type: 'string' },
    profile: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const DUTIES: readonly Duty[] = ['plain', 'claim', 'tool'];
const say = (text: string): void => void process.stdout.write(`${text}\n`);

if (values.help) say(HELP);
else if (values.list) list();
else await bench();

function list(): void {
  for (const { name, title } of scenarios) say(`${name.padEnd(20)} ${title}`);
  for (const { name, title } of studies) say(`${name.padEnd(20)} ${title} (--study)`);
  say('');
  for (const subject of subjects) {
    const { name, cachesTokens } = subject;
    say(`${name.padEnd(20)} ${subject.version() ?? 'absent'}; remembers tokens: ${cachesTokens}`);
  }
}

async function bench(): Promise<void> {
  const profileFolder = values.profile ? fileURLToPath(new URL('profiles', import.meta.url)) : null;
  // To name some of one kind is to want none of the other.
  const onlySome = values.scenario !== undefined || values.study !== undefined;
  const chosen = pick(scenarios, values.scenario ?? (onlySome ? [] : undefined), 'scenario');
  const chosenStudies = pick(studies, values.study ?? (onlySome ? [] : undefined), 'study');
  const wanted = pick(subjects, values.subject, 'subject');
  const present = wanted.filter((subject) => subject.version() !== null);
  const absent = wanted.filter((subject) => subject.version() === null).map(({ name }) => name);
  if (absent.length > 0) say(`absent: ${absent.join(', ')}`);
  const options: MeasureOptions = {
    tool: chooseTool(values.load),
    seconds: positive('seconds', values.seconds),
    connections: positive('connections', values.connections),
  };
  const rounds = positive('rounds', values.rounds);
  const stage = await openStage(profileFolder);
  const report: Report = { machine: describeMachine(), absent, scenarios: [], studies: [] };
  try {
    for (const scenario of chosen) {
      say(`\n${scenario.name}: ${scenario.title}`);
      const results = await runScenario(stage, scenario, present, options, rounds);
      report.scenarios.push({ name: scenario.name, title: scenario.title, results });
      say(renderReport({ ...report, scenarios: report.scenarios.slice(-1), studies: [] }));
    }
    for (const { name, title, run } of chosenStudies) {
      report.studies.push({ name, title, found: await run(stage) });
      say(renderReport({ ...report, scenarios: [], studies: report.studies.slice(-1) }));
    }
  } finally {
    await stage.close();
  }
  if (values.out !== undefined) {
    const folder = fileURLToPath(new URL('results', import.meta.url));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${values.out}.json`), `${JSON.stringify(report, null, 2)}\n`);
  }
}

interface Contestant {
  readonly subject: Subject;
  readonly duty: Duty;
  running: RunningSubject;
  readonly request: LoadRequest;
  readonly rounds: Round[];
}

async function runScenario(
  stage: Stage,
  scenario: Scenario,
  present: readonly Subject[],
  options: MeasureOptions,
  rounds: number,
): Promise<readonly SubjectResult[]> {
  const contestants: Contestant[] = [];
  const setting = {
    workers: scenario.workers ?? 1,
    accessLog: scenario.accessLog ?? true,
  };
  try {
    for (const subject of present) {
      if (!scenario.comparable && subject !== postern) continue;
      const duty = strongest(subject, scenario.duty);
      const running = await stage.startSubject(subject, { ...setting, duty });
      try {
        const able = { ...scenario, duty };
        const request = await prepare(stage, running, able, options, subject === direct);
        contestants.push({ subject, duty, running, request, rounds: [] });
      } catch (error) {
        await running.stop();
        throw new Error(`${subject.name} in ${scenario.name}`, { cause: error });
      }
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const contestant of contestants) {
        if (scenario.once === true && round > 0) {
          await contestant.running.stop();
          const { subject, duty } = contestant;
          contestant.running = await stage.startSubject(subject, { ...setting, duty });
        }
        const { running, request } = contestant;
        contestant.rounds.push(await measureRound(stage, running, scenario, request, options));
      }
    }
    const results: SubjectResult[] = [];
    for (const { subject, duty, running, request, rounds: measured } of contestants) {
      const median = summarise(measured);
      const latency =
        scenario.once === true || scenario.workers !== undefined
          ? null
          : await measureLatency(running, scenario, request, halfLoad(median), options.seconds);
      results.push({
        ...{ subject: subject.name, version: subject.version() ?? '', duty },
        ...{ cachesTokens: subject.cachesTokens, median, rounds: measured, latency },
      });
    }
    return results;
  } finally {
    for (const { running } of contestants) await running.stop();
  }
}

/** The most that a subject can do of what the scenario asks. */
function strongest(subject: Subject, asked: Duty): Duty {
  const able = DUTIES.slice(0, DUTIES.indexOf(asked) + 1).filter((duty) =>
    subject.duties.includes(duty),
  );
  return able.at(-1) ?? 'plain';
}

function pick<Item extends { readonly name: string }>(
  all: readonly Item[],
  names: readonly string[] | undefined,
  what: string,
): readonly Item[] {
  if (names === undefined) return all;
  return names
    .flatMap((text) => text.split(','))
    .map((name) => {
      const found = all.find((item) => item.name === name);
      if (found !== undefined) return found;
      throw new Error(`no ${what} ${name}; there are ${all.map((item) => item.name).join(', ')}`);
    });
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name} must be a positive number`);
}
