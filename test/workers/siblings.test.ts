import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ToPrimary, ToWorker } from '../../src/workers/messages.ts';
import { createSiblingRelay, type RelayMember } from '../../src/workers/sibling-relay.ts';
import { createSiblings, siblingLimits, type Siblings } from '../../src/workers/siblings.ts';

const LIMITS = { maxPayloadLength: 10, maxQueuedLength: 25 };

type FromWorker = Extract<ToPrimary, { type: 'sibling' }>;
type FromPrimary = Extract<ToWorker, { type: 'sibling' }>;

/** Workers and a primary in one process; `done` callbacks wait until they are let go. */
function createFamily(names: readonly string[], limits = LIMITS) {
  const relay = createSiblingRelay(limits);
  const ears = new Map<string, (message: FromPrimary) => void>();
  const waiting: (() => void)[] = [];
  const heard: string[] = [];
  let isDeaf = false;
  const members: RelayMember[] = names.map((workerId) => ({
    workerId,
    send(message, done) {
      waiting.push(done);
      if (!isDeaf) ears.get(workerId)?.(message);
    },
  }));
  const workers: Siblings[] = members.map((member) => {
    const siblings = createSiblings(
      member.workerId,
      {
        send(message: FromWorker, done) {
          relay.relay(member, members, message);
          done();
        },
        onMessage: (take) => void ears.set(member.workerId, take),
      },
      limits,
    );
    siblings.on('greet', (from, payload) =>
      heard.push(`${member.workerId} hears ${payload} from ${from}`),
    );
    return siblings;
  });
  const [first] = workers;
  assert(first !== undefined);
  return {
    first,
    heard,
    setDeaf: (deaf: boolean) => (isDeaf = deaf),
    letGo: () => waiting.splice(0).forEach((done) => done()),
  };
}

describe('a message to other workers', () => {
  const rows: readonly [name: string, to: string | null, topic: string, heard: string[]][] = [
    ['reaches the one it is for', 'b', 'greet', ['b hears hi from a']],
    ['reaches all others', null, 'greet', ['b hears hi from a', 'c hears hi from a']],
    ['is lost where nobody has that id', 'x', 'greet', []],
    ['is lost where it is for oneself', 'a', 'greet', []],
    ['is lost where nobody takes the topic', 'b', 'leave', []],
  ];
  for (const [name, to, topic, expected] of rows) {
    test(name, () => {
      const { first, heard } = createFamily(['a', 'b', 'c']);
      first.send(to, topic, 'hi');
      assert.deepEqual(heard, expected);
    });
  }

  test('is lost where it is too long', () => {
    const { first, heard } = createFamily(['a', 'b']);
    first.send('b', 'greet', 'x'.repeat(11));
    assert.deepEqual(heard, []);
    first.send('b', 'greet', 'x'.repeat(10));
    assert.equal(heard.length, 1);
  });

  test('is lost where too much waits for a worker that does not read, and gets through afterwards', () => {
    const family = createFamily(['a', 'b']);
    family.setDeaf(true);
    for (let count = 0; count < 100; count += 1) family.first.send('b', 'greet', 'x'.repeat(10));
    family.setDeaf(false);
    family.first.send('b', 'greet', 'again');
    family.first.send('b', 'greet', 'again');
    assert.equal(family.heard.length, 1);
    family.letGo();
    family.first.send('b', 'greet', 'hi');
    assert.equal(family.heard.at(-1), 'b hears hi from a');
  });

  test('is lost where too much waits for the primary', () => {
    const sent: FromWorker[] = [];
    const siblings = createSiblings(
      'a',
      { send: (message) => void sent.push(message), onMessage: () => undefined },
      LIMITS,
    );
    for (let count = 0; count < 100; count += 1) siblings.send(null, 'greet', 'x'.repeat(10));
    assert.equal(sent.length, 2);
  });
});

test('the limits leave room for a whole request', () => {
  const run = { maxBodyBytes: 4_000_000, maxHeaderBytes: 65_536 };
  const { maxPayloadLength, maxQueuedLength } = siblingLimits(run);
  const body = Buffer.alloc(run.maxBodyBytes).toString('base64');
  const head = JSON.stringify('"'.repeat(run.maxHeaderBytes));
  assert(body.length + head.length < maxPayloadLength);
  assert(maxQueuedLength >= 4 * maxPayloadLength);
});

test('the primary hands on nothing that is too long, whatever a worker sends', () => {
  const heard: string[] = [];
  const member = (workerId: string): RelayMember => ({
    workerId,
    send: ({ payload }) => void heard.push(payload),
  });
  const [from, other] = [member('a'), member('b')];
  const message = { type: 'sibling', to: null, topic: 't' } as const;
  const relay = createSiblingRelay(LIMITS);
  relay.relay(from, [from, other], { ...message, payload: 'x'.repeat(11) });
  assert.deepEqual(heard, []);
  relay.relay(from, [from, other], { ...message, payload: 'x' });
  assert.deepEqual(heard, ['x']);
});
