import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageOrder } from '../../../src/mcp/sse-downstream/message-order.ts';

describe('messages of one stream', () => {
  test('run at once, wait while held, and run in order after the release', () => {
    const order = new MessageOrder();
    const ran: number[] = [];
    order.run(() => ran.push(1));
    order.hold();
    order.run(() => ran.push(2));
    order.run(() => ran.push(3));
    assert.deepEqual(ran, [1]);
    order.release();
    assert.deepEqual(ran, [1, 2, 3]);
    order.stop();
  });

  test('wait again where one of them holds the rest', () => {
    const order = new MessageOrder();
    const ran: number[] = [];
    order.hold();
    order.run(() => order.hold());
    order.run(() => ran.push(1));
    order.release();
    assert.deepEqual(ran, []);
    order.release();
    assert.deepEqual(ran, [1]);
    order.stop();
  });

  test('do not wait for ever', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const order = new MessageOrder();
    const ran: number[] = [];
    order.hold();
    order.run(() => ran.push(1));
    t.mock.timers.tick(2_000);
    assert.deepEqual(ran, [1]);
  });

  test('do not run after the end', () => {
    const order = new MessageOrder();
    const ran: number[] = [];
    order.hold();
    order.run(() => ran.push(1));
    order.stop();
    order.release();
    assert.deepEqual(ran, []);
  });
});
