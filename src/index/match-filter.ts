import type { Modality } from "../encoders/encoder.js";
import type { Filter, ItemFact, Scalar } from "./filter.js";
import type { JsonObject, JsonValue } from "./item.js";

/** Facts about an item, besides its metadata, that filters may use. */
export interface ItemFacts {
  id: string;
  modality: Modality;
  source: string | null;
  /** In milliseconds. */
  addedAt: number | null;
}

/**
 * Whether an item matches a checked filter: the reference that every driver's filter must agree
 * with.
 * @param item  not needed for a filter on metadata alone.
 */
export function matchFilter(filter: Filter, metadata: JsonObject, item?: ItemFacts): boolean {
  const matches = (part: Filter) => matchFilter(part, metadata, item);
  if ("and" in filter) return filter.and.every(matches);
  if ("or" in filter) return filter.or.some(matches);
  if ("not" in filter) return !matches(filter.not);
  if ("item" in filter) {
    if (item === undefined) throw new RangeError("The filter needs more than metadata");
    return fulfils(factOf(item, filter.item), filter);
  }
  return fulfils(lookUp(metadata, filter.field), filter);
}

function factOf({ id, modality, source, addedAt }: ItemFacts, fact: ItemFact) {
  const added_at = addedAt === null ? null : new Date(addedAt).toISOString();
  const value = { id, modality, source, added_at };
  return value[fact] ?? undefined;
}

function fulfils(
  found: JsonValue | undefined,
  { op, value }: Extract<Filter, { op: unknown }>,
): boolean {
  if (op === "exists") return (found !== undefined) === value;
  if (found === undefined) return false;
  switch (op) {
    case "eq":
      return found === value;
    case "in":
      return (value as Scalar[]).some((one) => found === one);
    case "prefix":
      return typeof found === "string" && found.startsWith(value as string);
    case "contains":
      if (Array.isArray(found)) return found.some((element) => element === value);
      return typeof found === "string" && typeof value === "string" && found.includes(value);
    default: {
      const order = compare(found, value as string | number);
      if (order === undefined) return false;
      if (op === "lt") return order < 0;
      if (op === "lte") return order <= 0;
      return op === "gt" ? order > 0 : order >= 0;
    }
  }
}

/** The value at a dot path of metadata, or undefined. */
export function lookUp(metadata: JsonObject, field: string): JsonValue | undefined {
  let value: JsonValue | undefined = metadata;
  for (const key of field.split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    value = Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

function compare(a: JsonValue, b: string | number): number | undefined {
  if (typeof a === "number" && typeof b === "number") return a - b;
  // By code point, as databases compare UTF-8; JavaScript's `<` compares UTF-16 units.
  if (typeof a === "string" && typeof b === "string")
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return undefined;
}
