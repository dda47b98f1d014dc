import type { Filter, Scalar } from "./filter.js";
import type { JsonObject, JsonValue } from "./vector-store.js";

/**
 * Whether metadata fulfils a checked filter: the plain meaning that every driver's own filter
 * language has to keep.
 */
export function matchFilter(filter: Filter, metadata: JsonObject): boolean {
  if ("and" in filter) return filter.and.every((part) => matchFilter(part, metadata));
  if ("or" in filter) return filter.or.some((part) => matchFilter(part, metadata));
  if ("not" in filter) return !matchFilter(filter.not, metadata);
  const found = lookUp(metadata, filter.field);
  const { op, value } = filter;
  if (op === "exists") return (found !== undefined) === value;
  if (found === undefined) return false;
  switch (op) {
    case "eq":
      return found === value;
    case "in":
      return (value as Scalar[]).some((one) => found === one);
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
