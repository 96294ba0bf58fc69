import { headerValue, type HeaderFields } from '../accept/request-head.ts';
import { sealEventId } from './event-id.ts';
import { restoreNames, type NamePlace } from './hidden-name.ts';
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
}

/** The ids and names of one answer: what the upstream calls them, and what the client gets to see. */
export class AnswerIds {
  readonly sealsIds: boolean;
  readonly sealsEvents: boolean;
  readonly #sealer: Sealer;
  readonly #restoresNames: boolean;
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
  }: AnswerIdsOptions) {
    this.sealsIds = sealsIds;
    this.sealsEvents = sealsEvents;
    this.#sealer = sealer;
    this.#restoresNames = restoresNames;
    this.#binding = { owner, backend };
    this.#eventBinding = session === null ? this.#binding : { owner, backend, session };
  }

  /** Takes the head of the answer: it may name the session that its events belong to. */
  onHead(headers: HeaderFields): void {
    const session = headerValue(headers, SESSION_HEADER);
    if (session !== undefined) this.#eventBinding = { ...this.#binding, session };
  }

  /** @returns `null` where the id is better left out */
  sealEvent(eventId: string): string | null {
    return sealEventId(this.#sealer, this.#eventBinding, eventId);
  }

  /** @returns `null` where the id can't be sealed */
  sealTask(id: string): string | null {
    return sealTask(this.#sealer, this.#binding, { target: '', id });
  }

  /** @returns the same memory where nothing is to be put back, `null` for too many names; see {@link restoreNames} */
  restoreNames(octets: Buffer, place: NamePlace): Buffer | null {
    return this.#restoresNames ? restoreNames(this.#sealer, this.#binding, octets, place) : octets;
  }

  /**
   * Puts names back in the values of header fields, in place.
   *
   * @returns false for too many names
   */
  restoreFields(headers: HeaderFields): boolean {
    for (let index = 1; index < headers.length; index += 2) {
      const value = Buffer.from(headers[index] ?? '', 'latin1');
      const restored = this.restoreNames(value, 'field');
      if (restored === null) return false;
      if (restored !== value) headers[index] = restored.toString('latin1');
    }
    return true;
  }
}
