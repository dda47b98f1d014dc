import type { JsonObject, JsonValue } from "./item.js";

/**
 * JSON Merge Patch, RFC 7396: objects are merged key by key, null removes a key, anything else
 * replaces. `mergePatch({a: 1, b: {c: 2}}, {a: null, b: {d: 3}})` is `{b: {c: 2, d: 3}}`.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  // By entries: assigning to `__proto__` would not add a key.
  const merged = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else if (isObject(value)) {
      const old = merged.get(key);
      merged.set(key, mergePatch(isObject(old) ? old : {}, value));
    } else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
