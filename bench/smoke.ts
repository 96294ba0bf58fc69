/**
 * `npm run bench:smoke`: every scenario for a moment. Answers must be right; times are nobody's business here.
 */
import { checkAnswers } from './check-answers.ts';
import { runAutocannon } from './load/closed-loop.ts';
import { requestOf } from './request-of.ts';
import { scenarios } from './scenarios.ts';
import { openStage } from './stage.ts';
import { haproxy } from './subjects/haproxy.ts';
import { nginx } from './subjects/nginx.ts';
import { postern } from './subjects/postern.ts';
import type { Duty } from './subjects/subject.ts';

const REQUESTS = 200;
const MOST_SECONDS = 5;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const stage = await openStage(null);
let failures = 0;
try {
  for (const duty of ['plain', 'claim', 'tool'] as const) {
    const running = await stage.startSubject(postern, { duty, workers: 1, accessLog: true });
    try {
      for (const scenario of scenarios.filter((one) => one.duty === duty)) {
        const whole = await requestOf(scenario, running.port, fewer(stage.identities));
        const { expectedStatus: status, expectedText: text } = scenario;
        await checkAnswers(running.port, duty, stage.identities, whole, { status, text });
        const { requests, unexpected, errors } = await runAutocannon({
          ...{ port: running.port, request: whole, connections: 4, seconds: MOST_SECONDS },
          ...{ maxRequests: REQUESTS, expectedStatus: status, cores: null },
        });
        const isRight = requests === REQUESTS && unexpected === 0 && errors === 0;
        if (!isRight) failures += 1;
        say(
          `${isRight ? 'ok' : 'FAILED'} ${scenario.name}: ${requests} answers, ${unexpected} unexpected, ${errors} errors`,
        );
      }
    } finally {
      await running.stop();
    }
  }
  for (const subject of [haproxy, nginx]) await checkPeer(subject);
} finally {
  await stage.close();
}
if (failures > 0) process.exitCode = 1;

/** A smoke test needs no ten thousand tokens. */
function fewer(identities: typeof stage.identities): typeof stage.identities {
  return { ...identities, many: (_count, algorithm) => identities.many(50, algorithm) };
}

async function checkPeer(subject: typeof haproxy): Promise<void> {
  if (subject.version() === null) {
    say(`absent: ${subject.name}`);
    return;
  }
  const duty: Duty = subject.duties.at(-1) ?? 'plain';
  const scenario = scenarios.find((one) => one.duty === duty);
  if (scenario === undefined) return;
  const running = await stage.startSubject(subject, { duty, workers: 1, accessLog: true });
  try {
    const request = scenario.request(stage.identities);
    const expected = { status: scenario.expectedStatus, text: scenario.expectedText };
    await checkAnswers(running.port, duty, stage.identities, request, expected);
    say(`ok ${subject.name} does the duty ${duty}`);
  } finally {
    await running.stop();
  }
}
