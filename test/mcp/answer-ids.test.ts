/** What an answer filter makes of the upstream's ids, with policies and without. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createAnswerFilter, type AnswerFilterOptions } from '../../src/mcp/answer-filter.ts';
import { AnswerIds } from '../../src/mcp/answer-ids.ts';
import { maxEventIdBytes, openEventId, sealEventId } from '../../src/mcp/event-id.ts';
import { hideName } from '../../src/mcp/hidden-name.ts';
import type { SealBinding } from '../../src/mcp/seal-binding.ts';
import { createSealer } from '../../src/mcp/seal.ts';
import { sealTask } from '../../src/mcp/task-id.ts';
import { cut } from './raw-json.ts';

const sealer = createSealer({ keys: [randomBytes(32)], clock: () => 0, lifetimeMs: 1 });
const owner = { kind: 'subject', issuer: 'i', subject: 'alice' } as const;
const backend = 'default/mcp';
const bound: SealBinding = { owner, backend, session: 's1' };

interface Setup extends Partial<AnswerFilterOptions> {
  readonly session?: string | null;
  readonly type?: string;
  readonly status?: number;
  readonly headers?: string[];
  readonly sealsIds?: boolean;
  readonly lengths?: readonly number[];
}

function run(body: string | Uint8Array, setup: Setup = {}) {
  const {
    session = 's1',
    type = 'text/event-stream',
    status = 200,
    headers = [],
    sealsIds = true,
    lengths = [],
    ...rest
  } = setup;
  const ids = new AnswerIds({
    sealer,
    owner,
    backend,
    session,
    sealsIds,
    sealsEvents: sealsIds,
    restoresNames: true,
    hiddenName: null,
  });
  const filter = createAnswerFilter({
    request: null,
    isVisible: null,
    ids,
    holds: 'none',
    maxBytes: 100_000,
    ...rest,
  });
  const mode = filter.onHead(status, ['content-type', type, ...headers]);
  const parts: Buffer[] = [];
  for (const piece of cut(Buffer.from(body), lengths)) {
    const memory = Uint8Array.from(piece);
    parts.push(...filter.push(memory).map((part) => Buffer.from(part)));
    memory.fill(0x21);
  }
  parts.push(...filter.end().map((part) => Buffer.from(part)));
  return { mode, out: Buffer.concat(parts).toString('latin1'), fault: filter.fault };
}

const seal = (id: string, binding = bound): string =>
  sealEventId(sealer, binding, id) ?? assert.fail();
const task = (id: string): string => sealTask(sealer, bound, { target: '', id }) ?? assert.fail();

describe('the ids of events', () => {
  // prettier-ignore
  const rows: readonly [string, string, string][] = [
    ['an event', 'id: 1\ndata: {}\n\n', `id: ${seal('1')}\ndata: {}\n\n`],
    ['without a space', 'id:1\ndata: {}\n\n', `id:${seal('1')}\ndata: {}\n\n`],
    ['with CRLF', 'data: {}\r\nid: 1\r\n\r\n', `data: {}\r\nid: ${seal('1')}\r\n\r\n`],
    ['with CR', 'id: 1\rdata: {}\r\r', `id: ${seal('1')}\rdata: {}\r\r`],
    ['of a first event without data', '\ufeffid: 1\ndata: \n\n', `\ufeffid: ${seal('1')}\ndata: \n\n`],
    ['alone', 'id: 1\n\n', `id: ${seal('1')}\n\n`],
    ['several', 'id: 1\nid: 2\ndata: x\n\n', `id: ${seal('1')}\nid: ${seal('2')}\ndata: x\n\n`],
    ['an empty one, which takes the last one back', 'id\nid:\nid: \ndata: x\n\n', 'id\nid:\nid: \ndata: x\n\n'],
    ['one with NUL, which readers ignore', 'id: a\0b\ndata: x\n\n', 'id: a\0b\ndata: x\n\n'],
    ['one that no header can hold', 'id: a\x01b\ndata: x\n\n', 'data: x\n\n'],
    ['one that is too long', `: c\nid: ${'x'.repeat(maxEventIdBytes + 1)}\nretry: 1\ndata: x\n\n`, ': c\nretry: 1\ndata: x\n\n'],
    ['a too long first one', `\ufeffid: ${'x'.repeat(maxEventIdBytes + 1)}\ndata: x\n\n`, '\ufeffdata: x\n\n'],
    ['in other letters', 'ID: 1\nidx: 1\ndata: id: 1\n: id: 1\n\n', 'ID: 1\nidx: 1\ndata: id: 1\n: id: 1\n\n'],
    ['at a cut end', 'data: {}\n\nid: 1', `data: {}\n\nid: ${seal('1')}`],
    ['beside what is not JSON', 'id: 1\nevent: endpoint\ndata: /x?sessionId=1\n\n', `id: ${seal('1')}\nevent: endpoint\ndata: /x?sessionId=1\n\n`],
  ];
  for (const [name, text, expected] of rows) {
    test(`are sealed, and nothing else changes: ${name}`, () => {
      const { out, fault } = run(text);
      assert.deepEqual(
        { out, fault },
        { out: Buffer.from(expected).toString('latin1'), fault: null },
      );
    });
  }

  test('belong to the session of the request, or to the one that the answer begins', () => {
    const event = 'id: 1\ndata: {}\n\n';
    const idIn = ({ out }: { out: string }) => /^id: (.*)$/m.exec(out)?.[1] ?? '';
    const own = idIn(run(event));
    assert.equal(openEventId(sealer, bound, own), '1');
    const others: SealBinding[] = [
      { owner, backend },
      { ...bound, session: 's2' },
      { ...bound, backend: 'x/y' },
      { ...bound, owner: { kind: 'subject', issuer: 'i', subject: 'bob' } },
    ];
    for (const binding of others) assert.equal(openEventId(sealer, binding, own), null);
    const begun = idIn(run(event, { session: null, headers: ['mcp-session-id', 's1'] }));
    assert.equal(begun, own);
    assert.equal(openEventId(sealer, { owner, backend }, idIn(run(event, { session: null }))), '1');
  });

  test('stay where callers are not told apart', () => {
    const text = 'id: 1\ndata: {"result":{"task":{"taskId":"t"}}}\n\n';
    assert.equal(run(text, { sealsIds: false }).out, text);
  });
});

describe('with policies', () => {
  const isVisible = (_kind: string, name: string): boolean => name !== 'secret';
  const list = (...names: string[]) =>
    `{"id":1,"result":{"tools":[${names.map((name) => `{"name":"${name}"}`).join(',')}]}}`;

  test('the id of a filtered event is sealed, and that of a dropped one too', () => {
    const updated = (uri: string) =>
      `{"method":"notifications/resources/updated","params":{"uri":"${uri}"}}`;
    const { out } = run(
      `id: 1\ndata: ${list('secret', 'a')}\n\nid: 2\ndata: ${updated('secret')}\n\n`,
      { isVisible },
    );
    assert.equal(out, `id: ${seal('1')}\ndata: ${list('a')}\n\nid: ${seal('2')}\n\n`);
  });

  test('what a server says of a hidden name in a later event is told of what the client knows, or of nothing', () => {
    const hidden = hideName(sealer, bound, 'secret') ?? assert.fail();
    const error = (name: string) =>
      `data: {"id":1,"error":{"code":-32602,"message":"no ${name}"}}\n\n`;
    assert.equal(run(error(hidden), { isVisible }).out, error('secret'));
    assert.equal(
      run(`data: {"method":"notifications/resources/updated","params":{"uri":"${hidden}"}}\n\n`, {
        isVisible,
      }).out,
      '',
    );
    assert.equal(
      run(`data: ${list(hidden, 'a')}\n\n`, { isVisible }).out,
      `data: ${list('a')}\n\n`,
    );
  });
});

describe('an answer that is held back', () => {
  const created = (id: string) =>
    `{"id":1,"result":{"task":{"taskId":"${id}","status":"working"}}}`;
  const json = 'application/json';

  test('has its task ids sealed where a task may come, else it passes', () => {
    assert.deepEqual(run(created('t1'), { type: json, holds: 'results', lengths: [3] }), {
      mode: 'json',
      out: created(task('t1')),
      fault: null,
    });
    assert.equal(run(created('t1'), { type: json }).mode, 'pass');
    assert.equal(run('', { type: json, holds: 'results' }).fault, null);
    assert.equal(run('no JSON, taskId', { type: json, holds: 'results' }).out, 'no JSON, taskId');
  });

  test('of a stream has them sealed as well', () => {
    assert.equal(
      run(`id: 1\ndata: ${created('t1')}\n\n`).out,
      `id: ${seal('1')}\ndata: ${created(task('t1'))}\n\n`,
    );
  });

  test('is not handed on with an id that can not be sealed', () => {
    const long = created('x'.repeat(5000));
    assert.equal(run(long, { type: json, holds: 'results' }).fault, 'a task id is too long');
    assert.equal(run(`data: ${long}\n\n`).fault, 'a task id is too long');
  });

  test('without policies what is encoded or of another type passes', () => {
    for (const setup of [
      { headers: ['content-encoding', 'gzip'] },
      { type: 'text/plain' },
      { status: 404 },
    ]) {
      assert.equal(run('x', { ...setup, holds: 'results' }).mode, 'pass');
    }
  });

  test('under a hidden name has the client\u2019s put back, whatever its status and type', () => {
    const hidden = hideName(sealer, bound, 'a"b') ?? assert.fail();
    const isVisible = (): boolean => true;
    // prettier-ignore
    const rows: readonly [number, string, string, string][] = [
      [200, json, `{"id":1,"error":{"message":"no ${hidden}"}}`, '{"id":1,"error":{"message":"no a\\"b"}}'],
      [404, json, `{"id":1,"error":{"message":"no ${hidden}"}}`, '{"id":1,"error":{"message":"no a\\"b"}}'],
      [404, json, `no JSON: ${hidden}`, 'no JSON: a\\"b'],
      [500, 'text/plain', `no ${hidden}`, 'no a"b'],
      [200, 'text/plain', `no ${hidden}`, 'no a"b'],
      [200, 'text/event-stream', `data: {"x":"no ${hidden}"}\n\n`, 'data: {"x":"no a\\"b"}\n\n'],
    ];
    for (const [status, type, body, expected] of rows) {
      for (const lengths of [[], [1], [17]]) {
        const { mode, out } = run(body, { status, type, isVisible, holds: 'all', lengths });
        assert.deepEqual([mode === 'pass', out], [false, expected]);
      }
    }
    for (const status of [204, 205])
      assert.equal(run('', { status, isVisible, holds: 'all' }).mode, 'pass');
  });

  test('for its errors is framed as those that repeat a hidden name', () => {
    const isVisible = (): boolean => true;
    assert.equal(run('x', { status: 400, type: json, isVisible, holds: 'all' }).mode, 'json');
    assert.equal(run('x', { status: 400, type: json, isVisible, holds: 'results' }).mode, 'pass');
  });
});

const block = fc.oneof(
  fc
    .constantFrom(
      '\n',
      ': c\r\n\r\n',
      'retry: 1\n\n',
      'data: 1\r\r',
      'data: {"taskId":"t"}\n\n',
      'event: x\nid\ndata: \n\n',
    )
    .map((text) => [text, text] as const),
  fc
    .tuple(fc.stringMatching(/^[!-~\u00e9\u6f22]{1,8}$/), fc.constantFrom('\n', '\r\n', '\r'))
    .map(
      ([id, end]) =>
        [
          `id: ${id}${end}data: {"a":1}${end}${end}`,
          `id: ${seal(id)}${end}data: {"a":1}${end}${end}`,
        ] as const,
    ),
  fc.stringMatching(/^[a-z]{1,8}$/).map((id) => {
    const text = (taskId: string) =>
      `: c\ndata: {"result":{"task":{"taskId":\ndata: "${taskId}"}}}\nid:\n\n`;
    return [text(id), text(task(id))] as const;
  }),
);

test('random streams, cut anywhere, come out the same but for their ids', () => {
  fc.assert(
    fc.property(
      fc.array(block, { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }),
      fc.boolean(),
      (blocks, lengths, hasPolicies) => {
        const { out, fault } = run(blocks.map(([text]) => text).join(''), {
          lengths,
          isVisible: hasPolicies ? () => true : null,
        });
        assert.equal(fault, null);
        const expected = blocks.map(([, text]) => text).join('');
        assert.equal(out, Buffer.from(expected).toString('latin1'));
      },
    ),
    { numRuns: 800 },
  );
});

test('random octets never throw', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom('id: 1\n', 'data: {"result":{"task":{"taskId":"t"}}}\n\n', 'postern-n00a'),
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }),
      (noise, middle, lengths) => {
        run(Buffer.concat([noise, Buffer.from(middle), noise]), { lengths });
      },
    ),
    { numRuns: 1000 },
  );
});
