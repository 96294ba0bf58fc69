import type { Sample } from './metric-store.ts';

/** How often each endpoint of a backend was ejected; kept over reloads, since a counter never goes back. */
export interface EjectionCounts {
  /** @param endpoint host and port */
  count(backend: string, endpoint: string): void;
  read(): readonly Sample[];
}

/** Endpoints that are told apart: both names come from the configuration, which may change for years. */
const MAX_SERIES = 10_000;

export function createEjectionCounts(): EjectionCounts {
  const counts = new Map<
    string,
    { labels: { backend: string; endpoint: string }; value: number }
  >();
  return {
    count(backend, endpoint) {
      const key = `${backend} ${endpoint}`;
      const known = counts.get(key);
      if (known !== undefined) known.value += 1;
      else if (counts.size < MAX_SERIES)
        counts.set(key, { labels: { backend, endpoint }, value: 1 });
    },
    read: () => [...counts.values()],
  };
}
