import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createSessionNewsroom,
  type NewsReader,
  type NewsSiblings,
  type SessionNews,
} from '../../../src/mcp/sse-upstream/session-news.ts';

interface Bus {
  readonly payloads: string[];
  readonly sibling: () => NewsSiblings;
  readonly deliver: (payload: string) => void;
}

/** Carries every payload to all the others, at once. */
function bus(): Bus {
  const takers: ((from: string, payload: string) => void)[] = [];
  const payloads: string[] = [];
  return {
    payloads,
    sibling() {
      let own: ((from: string, payload: string) => void) | null = null;
      return {
        send(to, _topic, payload) {
          assert.equal(to, null);
          payloads.push(payload);
          for (const take of takers) if (take !== own) take('w', payload);
        },
        on(_topic, take) {
          own = take;
          takers.push(take);
        },
      };
    },
    deliver: (payload) => takers.forEach((take) => take('w', payload)),
  };
}

const reader = (server: string, isOver = false): NewsReader & { readonly taken: SessionNews[] } => {
  const taken: SessionNews[] = [];
  return { server, taken, isOver, take: (news) => void taken.push(news) };
};
const ended: SessionNews = { uid: 'u', owner: '\u00ff\u0000"', cancellation: null };
const cancelled: SessionNews = { ...ended, cancellation: Buffer.from('{"\u00e4":1}') };

test('news reach every other reader of the same server, here and elsewhere, and nobody else', () => {
  const { sibling } = bus();
  const here = createSessionNewsroom(sibling());
  const there = createSessionNewsroom(sibling());
  const [teller, replaced, other] = [reader('s'), reader('s'), reader('another')];
  const [far, farOther] = [reader('s'), reader('another')];
  here.join(replaced);
  here.join(other);
  there.join(far);
  there.join(farOther);
  const tell = here.join(teller);
  tell(ended);
  tell(cancelled);
  assert.deepEqual(replaced.taken, [ended, cancelled]);
  assert.deepEqual(far.taken, [ended, cancelled]);
  for (const { taken } of [teller, other, farOther]) assert.deepEqual(taken, []);
});

test('a reader that is over is forgotten, and news that are too long stay here', () => {
  const { sibling, payloads } = bus();
  const here = createSessionNewsroom(sibling());
  const over = reader('s', true);
  here.join(over);
  const tell = here.join(reader('s'));
  tell({ ...ended, cancellation: Buffer.alloc(40_000, 'x') });
  assert.deepEqual([over.taken, payloads], [[], []]);
});

test('what is no news is dropped', () => {
  const { sibling, deliver } = bus();
  const one = reader('s');
  createSessionNewsroom(sibling()).join(one);
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (payload) => deliver(payload)),
    { numRuns: 300 },
  );
  for (const payload of ['["s","u"]', '["s","u","o",1]', '["s",1,"o",null]', '{}'])
    deliver(payload);
  assert.deepEqual(one.taken, []);
});
