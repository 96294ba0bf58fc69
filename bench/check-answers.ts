import type { LoadRequest } from './load/request.ts';
import type { Duty } from './subjects/subject.ts';
import type { Identities } from './tokens.ts';

/**
 * Checks, before anything is measured, that a proxy does what it is measured for.
 *
 * @throws Error that says what was wrong: a scenario must not be won by not doing the work
 */
export async function checkAnswers(
  port: number,
  duty: Duty,
  identities: Identities,
  request: LoadRequest,
  expected: { readonly status: number; readonly text: string },
): Promise<void> {
  const [token = null] = request.tokens;
  const isRight = (answer: Answer): boolean =>
    answer.status === expected.status && answer.text.includes(expected.text);
  let answer = await ask(port, request, token);
  // Some listen before they know their routes.
  for (let attempt = 0; attempt < 30 && !isRight(answer); attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    answer = await ask(port, request, token);
  }
  if (!isRight(answer)) {
    throw new Error(`wrong answer ${answer.status}: ${answer.text.slice(0, 300)}`);
  }
  if (duty === 'plain' || expected.status !== 200) return;
  for (const [who, refused] of [
    ['Bob', identities.bob],
    ['a forged token', identities.forged],
    ['no token', null],
  ] as const) {
    const { status } = await ask(port, request, refused);
    if (status !== 401 && status !== 403) throw new Error(`${who} got ${status}`);
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(port: number, request: LoadRequest, token: string | null): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${request.path}`, {
    method: request.method,
    headers: {
      ...request.headers,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(request.method === 'POST' ? { body: request.body } : {}),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, text: await response.text() };
}
