/**
 * A small vocabulary of JSON Schema (draft-07, as ajv reads it) that carries the TypeScript type of what
 * it accepts, so that each field is written once: `type GatewaySpec = Typed<typeof gatewaySpec>`.
 *
 * Every builder returns plain JSON Schema. The own keywords are listed in {@link JsonSchema}; validate.ts
 * gives them their meaning, crds.ts turns them into what Kubernetes knows. Defaults in descriptions are
 * applied by whoever reads a field; validation never changes a document.
 */

/** The part of JSON Schema used here, and our own keywords. */
export interface JsonSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema;
  readonly items?: JsonSchema;
  readonly enum?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  /** What a string must be, in words that follow "must be": `a duration such as 5m`. */
  readonly says?: string;
  /** Exactly one of these fields must be present. */
  readonly exactlyOneOf?: readonly string[];
  /** At least one of these fields must be present. */
  readonly atLeastOneOf?: readonly string[];
  /** Each group names fields of which at most one may be present. */
  readonly atMostOneOf?: readonly (readonly string[])[];
  /** The field that a union's discriminator demands; the blocks of the other values must be absent. */
  readonly unionBy?: {
    readonly discriminator: string;
    readonly blocks: Readonly<Record<string, string | null>>;
  };
  /** List items must differ in this field. */
  readonly uniqueBy?: string;
  /** A list in which `*` may only stand alone. */
  readonly wildcardAlone?: boolean;
  /**
   * A field of the real API that this version does not act on. `ignored`: a warning, it has no effect.
   * `refused`: an error, because access would be wider without it. Absent: Postern acts on the field.
   */
  readonly support?: 'ignored' | 'refused';
  /** Why a `refused` field is refused, after "is not supported by this version: ". */
  readonly why?: string;
  /** A `refused` object that holds this field alone is harmless (`extAuth: {disable: {}}`). */
  readonly harmless?: string;
  /** No message may show the value. */
  readonly sensitive?: boolean;
  /** Fields beyond `properties` are accepted without a word. */
  readonly open?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

declare const accepted: unique symbol;

/** JSON Schema that accepts values of type T. The type exists at compile time only. */
export interface Schema<T> extends JsonSchema {
  readonly [accepted]?: T;
}

/** The type that a schema accepts. */
export type Typed<S> = S extends Schema<infer T> ? T : never;

type Fields = Readonly<Record<string, Schema<unknown>>>;

type Flat<T> = { readonly [K in keyof T]: T[K] };

type ObjectOf<R extends Fields, O extends Fields> = Flat<
  { readonly [K in keyof R]: Typed<R[K]> } & { readonly [K in keyof O]?: Typed<O[K]> }
>;

/** An object with required and optional fields. Other fields are reported as unknown. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export function object<R extends Fields, O extends Fields = {}>(
  required: R,
  optional?: O,
  rules: JsonSchema = {},
): Schema<ObjectOf<R, O>> {
  const names = Object.keys(required);
  return {
    type: 'object',
    properties: { ...required, ...optional },
    ...(names.length > 0 && { required: names }),
    ...rules,
  };
}

/** An object whose field names are free. */
export function mapOf<T>(
  values: Schema<T>,
  rules: JsonSchema = {},
): Schema<Readonly<Record<string, T>>> {
  return { type: 'object', additionalProperties: values, ...rules };
}

/** A list. `maxItems` is given everywhere, so that nothing is unbounded. */
export function list<T>(
  items: Schema<T>,
  rules: JsonSchema & { readonly maxItems: number },
): Schema<readonly T[]> {
  return { type: 'array', items, ...rules };
}

/** A string. */
export function string(rules: JsonSchema = {}): Schema<string> {
  return { type: 'string', ...rules };
}

/** A whole number within bounds, both included. */
export function integer(minimum: number, maximum: number): Schema<number> {
  return { type: 'integer', minimum, maximum };
}

/** true or false. */
export function boolean(): Schema<boolean> {
  return { type: 'boolean' };
}

/** One of some words. */
export function oneOfWords<const W extends string>(...words: readonly W[]): Schema<W> {
  return { type: 'string', enum: words };
}

/** One of some numbers. */
export function oneOfNumbers<const N extends number>(...numbers: readonly N[]): Schema<N> {
  return { type: 'integer', enum: numbers };
}

/** Any value: a field that is known, and that Postern has no reason to look into. */
export function anything(): Schema<unknown> {
  return {};
}

/** A field of the real API that has no effect in this version: a warning. */
export function ignored(): Schema<unknown> {
  return { support: 'ignored' };
}

/**
 * A field whose absence of effect would open access: an error.
 *
 * @param why follows "is not supported by this version: "
 * @param harmless name of the field that alone makes the value harmless
 */
export function refused(why: string, harmless?: string): Schema<unknown> {
  return { support: 'refused', why, ...(harmless !== undefined && { harmless }) };
}
