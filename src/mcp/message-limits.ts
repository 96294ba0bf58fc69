import type { JsonLimits } from '../json/scan-json.ts';

/** Enough for 4 MiB of table rows of twenty octets a value; bounds the time that a body takes. */
export const messageLimits: JsonLimits = Object.freeze({ maxDepth: 64, maxValues: 200_000 });

/** Longest id that is a string, in UTF-16 units; it comes back in answers. */
export const maxIdLength = 1024;
