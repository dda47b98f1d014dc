import type { JsonObject, JsonValue } from "../index/item.js";

type Scalar = string | number | boolean | null;
type FieldType = "string" | "number" | "boolean" | "null" | "array";

/** What the items of a collection have in one field of their metadata. */
export interface FieldCounts {
  count: number;
  types: Partial<Record<FieldType, number>>;
  /** By value as JSON, at most `maxValues`. */
  values: Map<string, number>;
  hasMoreValues: boolean;
  min: number;
  max: number;
}

const maxFields = 200;
const maxValues = 1000;
const maxDepth = 8;
/** Longer texts are contents, not values that one filters by. */
const maxValueLength = 200;

/** Counts the fields of metadata, item by item. */
export class FieldCounter {
  readonly fields = new Map<string, FieldCounts>();
  items = 0;
  hasMoreFields = false;

  add(metadata: JsonObject): void {
    this.items++;
    this.#addObject(metadata, "", 1);
  }

  #addObject(object: JsonObject, prefix: string, depth: number): void {
    for (const [key, value] of Object.entries(object)) {
      const field = `${prefix}${key}`;
      if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        if (depth < maxDepth) this.#addObject(value, `${field}.`, depth + 1);
        else this.hasMoreFields = true;
      } else if (isFilterable(key)) this.#addValue(field, value);
    }
  }

  #addValue(field: string, value: Exclude<JsonValue, JsonObject>): void {
    let counts = this.fields.get(field);
    if (counts === undefined) {
      if (this.fields.size >= maxFields) {
        this.hasMoreFields = true;
        return;
      }
      const [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      counts = { count: 0, types: {}, values: new Map(), hasMoreValues: false, min, max };
      this.fields.set(field, counts);
    }
    counts.count++;
    const type = typeOf(value);
    counts.types[type] = (counts.types[type] ?? 0) + 1;
    if (!Array.isArray(value)) countValue(counts, value as Scalar);
    // Once for each item, as a filter with `contains` counts
    else for (const one of new Set(value.filter(isScalar))) countValue(counts, one);
  }
}

function countValue(counts: FieldCounts, value: Scalar): void {
  if (typeof value === "number") {
    counts.min = Math.min(counts.min, value);
    counts.max = Math.max(counts.max, value);
  }
  const key = JSON.stringify(value);
  const previous = counts.values.get(key);
  if (previous === undefined && (counts.values.size >= maxValues || key.length > maxValueLength))
    counts.hasMoreValues = true;
  else counts.values.set(key, (previous ?? 0) + 1);
}

const isScalar = (value: JsonValue): value is Scalar => typeof value !== "object" || value === null;

const typeOf = (value: Exclude<JsonValue, JsonObject>): FieldType =>
  value === null ? "null" : Array.isArray(value) ? "array" : (typeof value as FieldType);

/** Keys that a dot path can name: see filter.ts. */
const isFilterable = (key: string) => key !== "" && !/[."\\\p{Cc}]/u.test(key);
