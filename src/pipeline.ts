/**
 * The way of a request, as a list. Each stage looks at the exchange and lets it pass on, answers it, or
 * refuses it; nothing runs that is not here.
 */

import { authenticateRequest } from './authenticate/authenticate-request.ts';
import { authorizeRequest } from './authorize/authorize-request.ts';
import { answerDiscovery } from './discover/answer-discovery.ts';
import { Refusal } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { gateMessage } from './mcp/gate-message.ts';
import { answerCors } from './route/answer-cors.ts';
import { checkOrigin } from './route/check-origin.ts';
import { findListener } from './route/find-listener.ts';
import { findRoute } from './route/find-route.ts';
import { redirect } from './route/redirect.ts';
import { ANSWERED, PASS, WAITING, type Verdict } from './verdict.ts';

export interface Stage {
  readonly name: string;
  readonly run: (exchange: Exchange) => Verdict | typeof WAITING | Promise<Verdict>;
}

/** Stages that the composition root makes, because they hold options, connections or other state. */
export interface MadeStages {
  readonly admit: Stage['run'];
  readonly admitPrincipal: Stage['run'];
  readonly limitRate: Stage['run'];
  readonly chooseBackend: Stage['run'];
  readonly readBody: Stage['run'];
  readonly joinSseStream: Stage['run'];
  readonly carrySse: Stage['run'];
  readonly limitBackendRate: Stage['run'];
  readonly admitStream: Stage['run'];
  readonly forward: Stage['run'];
}

export interface PipelineOptions extends MadeStages {
  /** Told of an exception in a stage: a bug, answered with 500. */
  readonly onBug: (stage: string, error: unknown) => void;
}

/** The stages in their order. */
// prettier-ignore
export function stages(made: MadeStages): readonly Stage[] {
  return [
    { name: 'admit',              run: made.admit },            // is there room, before anything costs
    { name: 'find-listener',      run: findListener },          // whose host it is
    { name: 'answer-discovery',   run: answerDiscovery },       // how to get a token is for those who have none
    { name: 'find-route',         run: findRoute },             // a stranger to every route learns nothing else
    { name: 'check-origin',       run: checkOrigin },           // a web page of strangers goes no further
    { name: 'answer-cors',        run: answerCors },            // a preflight carries no token
    { name: 'authenticate',       run: authenticateRequest },   // who
    { name: 'admit-principal',    run: made.admitPrincipal },   // is there room for him
    { name: 'authorize',          run: authorizeRequest },      // may
    { name: 'limit-rate',         run: made.limitRate },        // how often, by the policies of Gateway and route
    { name: 'redirect',           run: redirect },              // filters that answer come after the right to an answer
    { name: 'choose-backend',     run: made.chooseBackend },    // what the body may say depends on it
    { name: 'read-body',          run: made.readBody },         // only now is the body worth waiting for
    { name: 'join-sse-stream',    run: made.joinSseStream },    // HTTP+SSE: the stream that the answer will go to
    { name: 'mcp',                run: gateMessage },           // what the body says, and whether the caller may say it
    { name: 'limit-backend-rate', run: made.limitBackendRate }, // how often, by the policies of the Backend
    { name: 'admit-stream',       run: made.admitStream },      // is there room for one more that stays
    { name: 'carry-sse',          run: made.carrySse },         // HTTP+SSE: made Streamable HTTP for the upstream
    { name: 'forward',            run: made.forward },
  ];
}

/**
 * Makes the function that takes an exchange through the stages. Stages that need no promise are run in
 * one go; the answer is recorded by whoever created the exchange, when the responder is done.
 */
export function createPipeline(options: PipelineOptions): (exchange: Exchange) => void {
  const list = stages(options);

  function advance(exchange: Exchange, from: number): void {
    for (let index = from; index < list.length; index += 1) {
      const stage = list[index];
      if (stage === undefined) break;
      exchange.stageIndex = index;
      let verdict: ReturnType<Stage['run']>;
      try {
        verdict = stage.run(exchange);
      } catch (error) {
        bug(exchange, stage, error);
        return;
      }
      if (verdict === WAITING) return;
      if (verdict instanceof Promise) {
        goOnAfter(verdict, exchange, stage, index);
        return;
      }
      if (!settle(exchange, verdict)) return;
    }
  }

  /**
   * Not in the loop: for functions that stand in one the engine makes a scope in each round, even where it makes no
   * function. That was a sixth of the memory that a request takes (bench/micro/hot-path.ts).
   */
  function goOnAfter(
    verdict: Promise<Verdict>,
    exchange: Exchange,
    stage: Stage,
    index: number,
  ): void {
    verdict.then(
      (settled) => {
        if (settle(exchange, settled)) advance(exchange, index + 1);
      },
      (error: unknown) => bug(exchange, stage, error),
    );
  }

  /** @returns whether the next stage may run */
  function settle(exchange: Exchange, verdict: Verdict): boolean {
    if (verdict === ANSWERED || exchange.responder.finished) return false;
    if (verdict === PASS) return true;
    exchange.failInTurn(verdict);
    return false;
  }

  function bug(exchange: Exchange, stage: Stage, error: unknown): void {
    options.onBug(stage.name, error);
    exchange.fail(new Refusal('INTERNAL', { detail: `stage ${stage.name}` }));
  }

  /** What a stage that waits calls in place of a promise: every request with a body waits for it. */
  function proceed(exchange: Exchange, verdict: Verdict): void {
    if (settle(exchange, verdict)) advance(exchange, exchange.stageIndex + 1);
  }

  return (exchange) => {
    exchange.onProceed = proceed;
    advance(exchange, 0);
  };
}
