import { anything, mapOf, type Typed } from './schema.ts';

/** Namespace (v1): only its labels matter, for allowedRoutes and selectors. */
export const namespaceSpec = mapOf(anything(), { maxProperties: 16 });
export type NamespaceSpec = Typed<typeof namespaceSpec>;
