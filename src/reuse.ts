/** A step from one set of live objects to the next, not yet taken. */
export interface Turn<Live> {
  /** In the order of the plans asked for. */
  readonly live: readonly Live[];
  /** Takes the step: closes what the new set does not use any more. */
  commit(): void;
  /** Does not take it: closes what was made for it. */
  abandon(): void;
}

/**
 * Keeps live objects (connections, key sets, caches) over a reload as long as their part of the plan stays
 * the same, so that a reload elsewhere costs nobody his connections or remembered tokens.
 *
 * @param create makes the live object of a plan
 */
export function createReuse<Plan, Live extends { close(): void }>(
  create: (plan: Plan) => Live,
): (plans: readonly Plan[]) => Turn<Live> {
  let kept = new Map<string, Live>();
  return (plans) => {
    const next = new Map<string, Live>();
    const made: Live[] = [];
    const abandon = (): void => {
      for (const one of made) one.close();
    };
    const turnTo = (plan: Plan): Live => {
      const key = JSON.stringify(plan);
      const existing = next.get(key) ?? kept.get(key);
      if (existing !== undefined) {
        next.set(key, existing);
        return existing;
      }
      const created = create(plan);
      made.push(created);
      next.set(key, created);
      return created;
    };
    let live: Live[];
    try {
      live = plans.map(turnTo);
    } catch (error) {
      abandon();
      throw error;
    }
    return {
      live,
      commit() {
        const used = new Set(next.values());
        for (const old of kept.values()) if (!used.has(old)) old.close();
        kept = next;
      },
      abandon,
    };
  };
}
