import { type Filter, fieldPath, type Scalar } from "../filter.js";
import { numberFact } from "../number-fact.js";
import type { Bind } from "./bind.js";

/**
 * A checked filter as a condition on the columns of a collection's items, with exactly the meaning
 * of match-filter.ts.
 *
 * Values are bound as JSON and compared as jsonb, so that a number on either side is read the same
 * way. Paths are written into the text, because an index on an expression is only used for the very
 * same expression; `fieldPath` has refused every character that could leave the quotes.
 */
export function filterCondition(filter: Filter, bind: Bind): string {
  const write = (part: Filter): string => filterCondition(part, bind);
  if ("and" in filter)
    return filter.and.length === 0 ? "true" : `(${filter.and.map(write).join(" and ")})`;
  if ("or" in filter)
    return filter.or.length === 0 ? "false" : `(${filter.or.map(write).join(" or ")})`;
  // A missing field makes a condition null, which counts as false everywhere but under `not`.
  if ("not" in filter) return `not coalesce(${write(filter.not)}, false)`;
  if ("item" in filter) return factCondition(filter, bind);
  const { field, op, value } = filter;
  const found = fieldExpression(field);
  const indexed = indexedExpression(field);
  const json = (one: unknown) => `${bind(JSON.stringify(one))}::text::jsonb`;
  const isText = `jsonb_typeof(${found}) = 'string'`;
  const text = `(${found} #>> '{}')`;
  switch (op) {
    case "exists":
      return `${found} is ${value ? "not null" : "null"}`;
    case "eq":
      return `${isIndexed(value) ? indexed : found} = ${json(value)}`;
    case "in": {
      const wanted = value as Scalar[];
      const list = bind(wanted.map((one) => JSON.stringify(one)));
      return `${wanted.every(isIndexed) ? indexed : found} = any(${list}::text[]::jsonb[])`;
    }
    case "prefix":
      return `(${isText} and starts_with(${text}, ${bind(value)}::text))`;
    case "contains": {
      const element = `${found} @> jsonb_build_array(${json(value)})`;
      const inArray = `(jsonb_typeof(${found}) = 'array' and ${element})`;
      if (typeof value !== "string") return inArray;
      return `(${inArray} or (${isText} and position(${bind(value)}::text in ${text}) > 0))`;
    }
    default: {
      const sign = { lt: "<", lte: "<=", gt: ">", gte: ">=" }[op];
      if (typeof value === "number")
        return `(jsonb_typeof(${found}) = 'number' and ${indexed} ${sign} ${json(value)})`;
      // jsonb compares texts by the database's collation; "C" is by code point.
      return `(${isText} and ${text} collate "C" ${sign} ${bind(value)}::text)`;
    }
  }
}

function factCondition(filter: Extract<Filter, { item: unknown }>, bind: Bind): string {
  const ofNumbers = numberFact(filter);
  if (ofNumbers !== undefined) return ofNumbers;
  const { item, op, value } = filter;
  if (op === "exists") return `${item} is ${value ? "not null" : "null"}`;
  if (op === "in") return `${item} = any(${bind(value)}::text[])`;
  const bound = `${bind(value)}::text`;
  if (op === "eq") return `${item} = ${bound}`;
  // The first condition is for the index on ids.
  return `(${item} collate "C" >= ${bound} and starts_with(${item}, ${bound}))`;
}

/** `->` with a text key finds nothing in an array; `#>` would take "0" as a place in it. */
function fieldExpression(field: string): string {
  const path = fieldPath(field, "filter.field").map((key) => ` -> '${key}'`);
  return `(metadata${path.join("")})`;
}

/**
 * What an index on a declared field is made of: scalars alone, and no long text, since a B-tree
 * entry is limited to 2,704 bytes. Of short scalars it is what `fieldExpression` is.
 */
export function indexedExpression(field: string): string {
  const found = fieldExpression(field);
  const isScalar = `jsonb_typeof(${found}) in ('string', 'number', 'boolean')`;
  const isShort = `octet_length(${found} #>> '{}') <= ${maxIndexedBytes}`;
  return `(case when ${isScalar} and ${isShort} then ${found} end)`;
}

const maxIndexedBytes = 2000;

/** Whether items that have this value have it in the index. */
const isIndexed = (value: unknown): boolean =>
  typeof value === "string" ? Buffer.byteLength(value) <= maxIndexedBytes : value !== null;
