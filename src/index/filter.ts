/**
 * A condition on metadata. `field` is a dot path into the item's metadata (`"year"`, `"place.country"`).
 *
 * - `eq`: same type and same value; `null` is a value. `in`: `eq` to one of an array of scalars.
 * - `lt`, `lte`, `gt`, `gte`: numbers with numbers, strings with strings (by code point); other types never match.
 * - `exists`: `value` true asks for the field (even null), false for its absence.
 * - `contains`: an array that has the scalar as an element, or a string that has the string in it.
 *
 * A missing field matches nothing but `exists: false`. `not` is plain negation, so it does match missing fields.
 */
export type Filter =
  | { and: Filter[] }
  | { or: Filter[] }
  | { not: Filter }
  | { field: string; op: FilterOp; value: unknown };

export type FilterOp = "eq" | "in" | "lt" | "lte" | "gt" | "gte" | "exists" | "contains";
