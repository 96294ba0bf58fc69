/**
 * Answers of legacy clients to what a modern target wants to know: the request waits at one worker, and the answer
 * may come to another.
 */

import { BoundedMap } from '../bounded-map.ts';

/** What carries an answer to the worker that waits; without it only this one is asked. */
export interface InputSiblings {
  send(to: string | null, topic: string, payload: string): void;
  on(topic: string, take: (from: string, payload: string) => void): void;
}

export interface InputWaits {
  /**
   * Waits for one answer.
   *
   * @param key random: knowing it is the right to answer
   * @param take called once at most, with the JSON text of the client's response
   */
  wait(key: string, take: (response: string) => void): void;
  forget(key: string): void;
  /** Brings an answer to whoever waits for it, here or at another worker. */
  deliver(key: string, response: string): void;
}

const TOPIC = 'federation-input';
const MAX_WAITING = 10_000;
/** Longest answer that goes from worker to worker, in UTF-16 units. */
const MAX_RESPONSE_LENGTH = 1024 * 1024;

export function createInputWaits(siblings: InputSiblings | null): InputWaits {
  const waiting = new BoundedMap<(response: string) => void>(MAX_WAITING);

  function take(key: string, response: string): boolean {
    const taker = waiting.get(key);
    waiting.delete(key);
    taker?.(response);
    return taker !== undefined;
  }

  siblings?.on(TOPIC, (_from, payload) => {
    const end = payload.indexOf(' ');
    if (end > 0) take(payload.slice(0, end), payload.slice(end + 1));
  });
  return {
    wait: (key, taker) => waiting.set(key, taker),
    forget: (key) => waiting.delete(key),
    deliver(key, response) {
      if (take(key, response) || response.length > MAX_RESPONSE_LENGTH) return;
      siblings?.send(null, TOPIC, `${key} ${response}`);
    },
  };
}
