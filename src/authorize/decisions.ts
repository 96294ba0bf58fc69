import type { Settled } from './combine.ts';

/** As many are looked through; to find one among more takes a map, which is larger than all of these together. */
const FEW = 8;

interface Entry {
  readonly group: number;
  readonly name: string;
  readonly settled: Settled;
  readonly earlier: Entry | null;
  /** How many there are, with the earlier ones. */
  readonly count: number;
}

let groups = 0;

/** A number for rules that are asked together; no other has it as long as the process lives. */
export function newGroup(): number {
  groups += 1;
  return groups;
}

/** What was decided for one principal, by the group of rules that was asked and the name that it was asked about. */
export class Decisions {
  #latest: Entry | null = null;
  #many: Map<number, Map<string, Settled>> | null = null;

  get isEmpty(): boolean {
    return this.#latest === null && this.#many === null;
  }

  find(group: number, name: string): Settled | undefined {
    if (this.#many !== null) return this.#many.get(group)?.get(name);
    for (let entry = this.#latest; entry !== null; entry = entry.earlier) {
      if (entry.group === group && entry.name === name) return entry.settled;
    }
    return undefined;
  }

  /** Only what {@link find} does not have; to be called by a memo, which bounds how many there are. */
  add(group: number, name: string, settled: Settled): void {
    const earlier = this.#latest;
    const count = (earlier?.count ?? 0) + 1;
    if (this.#many === null && count <= FEW) {
      this.#latest = { group, name, settled, earlier, count };
      return;
    }
    const many = (this.#many ??= new Map<number, Map<string, Settled>>());
    for (let entry = earlier; entry !== null; entry = entry.earlier) {
      put(many, entry.group, entry.name, entry.settled);
    }
    this.#latest = null;
    put(many, group, name, settled);
  }

  forget(): void {
    this.#latest = null;
    this.#many = null;
  }
}

function put(
  many: Map<number, Map<string, Settled>>,
  group: number,
  name: string,
  settled: Settled,
): void {
  const names = many.get(group);
  if (names === undefined) many.set(group, new Map([[name, settled]]));
  else names.set(name, settled);
}
