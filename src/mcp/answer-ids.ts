import { headerValue, type HeaderFields } from '../accept/request-head.ts';
import { sealEventId } from './event-id.ts';
import { restoreNames, type HiddenName, type NamePlace } from './hidden-name.ts';
import { createSpellingTest } from './hidden-spellings.ts';
import type { SealBinding, SealOwner } from './seal-binding.ts';
import type { Sealer } from './seal.ts';
import { SESSION_HEADER } from './session.ts';
import { sealTask } from './task-id.ts';

export interface AnswerIdsOptions {
  readonly sealer: Sealer;
  readonly owner: SealOwner;
  /** `namespace/name`. */
  readonly backend: string;
  /** The upstream's id of the request's session, or `null`. */
  readonly session: string | null;
  /** Whether callers are told apart, so that the ids of the upstream are sealed. */
  readonly sealsIds: boolean;
  /** False where ids of events stay in the gate, which resumes the stream itself. */
  readonly sealsEvents: boolean;
  /** Whether denied objects go upstream under hidden names, which may come back. */
  readonly restoresNames: boolean;
  /** What the object of the request is called upstream, where it was denied. */
  readonly hiddenName: HiddenName | null;
}

/** The ids and names of one answer: what the upstream calls them, and what the client gets to see. */
export class AnswerIds {
  readonly sealsIds: boolean;
  readonly sealsEvents: boolean;
  readonly #sealer: Sealer;
  readonly #restoresNames: boolean;
  readonly #hiddenName: HiddenName | null;
  readonly #holdsOtherSpelling: ((octets: Buffer) => boolean) | null;
  readonly #binding: SealBinding;
  #eventBinding: SealBinding;

  constructor({
    sealer,
    owner,
    backend,
    session,
    sealsIds,
    sealsEvents,
    restoresNames,
    hiddenName,
  }: AnswerIdsOptions) {
    this.sealsIds = sealsIds;
    this.sealsEvents = sealsEvents;
    this.#sealer = sealer;
    this.#restoresNames = restoresNames;
    this.#hiddenName = hiddenName;
    this.#holdsOtherSpelling = hiddenName === null ? null : createSpellingTest(hiddenName.alias);
    this.#binding = { owner, backend };
    this.#eventBinding = session === null ? this.#binding : { owner, backend, session };
  }

  /** Takes the head of the answer: it may name the session that its events belong to. */
  onHead(headers: HeaderFields): void {
    const session = headerValue(headers, SESSION_HEADER);
    if (session === undefined) return;
    // Written out: to spread an object and add to it would be 2 % of a request's CPU time.
    const { owner, backend } = this.#binding;
    this.#eventBinding = { owner, backend, session };
  }

  /** @returns `null` where the id is better left out */
  sealEvent(eventId: string): string | null {
    return sealEventId(this.#sealer, this.#eventBinding, eventId);
  }

  /** @returns `null` where the id can't be sealed */
  sealTask(id: string): string | null {
    return sealTask(this.#sealer, this.#binding, { target: '', id });
  }

  /**
   * Puts names back, see {@link restoreNames}.
   *
   * @returns the same memory where there is none; `null` for too many, and where the name of the request's object
   *   stands there in another spelling
   */
  restoreNames(octets: Buffer, place: NamePlace): Buffer | null {
    if (!this.#restoresNames) return octets;
    const known = this.#hiddenName;
    const restored = restoreNames(this.#sealer, this.#binding, octets, place, known);
    if (restored === null || this.#holdsOtherSpelling === null) return restored;
    return this.#holdsOtherSpelling(restored) ? null : restored;
  }

  /**
   * Puts names back in the values of header fields, in place. Nothing but a request that went up under a hidden name
   * has it in the head of its answer.
   *
   * @returns false where that can't be done
   */
  restoreFields(headers: HeaderFields): boolean {
    if (this.#hiddenName === null) return true;
    const { alias } = this.#hiddenName;
    for (let index = 1; index < headers.length; index += 2) {
      const text = headers[index] ?? '';
      if (text.length < alias.length) continue;
      const value = Buffer.from(text, 'latin1');
      const restored = this.restoreNames(value, 'field');
      if (restored === null) return false;
      if (restored !== value) headers[index] = restored.toString('latin1');
    }
    return true;
  }
}
