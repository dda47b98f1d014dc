import { type Filter, fieldPath, type Scalar } from "../filter.js";
import { numberFact } from "../number-fact.js";

/** An SQL condition with the values of its `?` in order. */
export interface SqlCondition {
  sql: string;
  values: string[];
}

/**
 * A checked filter as a condition on the columns of `items` with exactly the meaning of
 * match-filter.ts.
 *
 * Values are bound as JSON text and read by SQLite's own JSON reader, so that a number on either
 * side is read the same way. Paths are written into the text, because an index on an expression is
 * only used for the very same expression; `fieldPath` has refused every character that could leave
 * the quotes.
 */
export function filterSql(filter: Filter): SqlCondition {
  const values: string[] = [];
  const bind = (value: unknown) => {
    values.push(JSON.stringify(value));
    return "json_extract(?, '$')";
  };
  const write = (part: Filter): string => {
    if ("and" in part)
      return part.and.length === 0 ? "1" : `(${part.and.map(write).join(" AND ")})`;
    if ("or" in part) return part.or.length === 0 ? "0" : `(${part.or.map(write).join(" OR ")})`;
    // A missing field makes a condition NULL, which counts as false except under NOT.
    if ("not" in part) return `NOT coalesce(${write(part.not)}, 0)`;
    if ("item" in part) return factSql(part, values);
    const { field, op, value } = part;
    const type = `json_type(metadata, ${jsonPath(field)})`;
    const found = fieldExpression(field);
    switch (op) {
      case "exists":
        return value ? `${type} IS NOT NULL` : `${type} IS NULL`;
      case "eq":
        return equal(type, found, value as Scalar, bind);
      case "in":
        return isIn(type, found, value as Scalar[], bind, values);
      case "prefix":
        return `(${type} = 'text' AND ${beginsWith(found, bind(value), bind(value))})`;
      case "contains": {
        const each = `json_each(metadata, ${jsonPath(field)}) AS element`;
        const element = equal("element.type", "element.value", value as Scalar, bind);
        const inArray = `(${type} = 'array' AND EXISTS (SELECT 1 FROM ${each} WHERE ${element}))`;
        if (typeof value !== "string") return inArray;
        return `(${inArray} OR (${type} = 'text' AND instr(${found}, ${bind(value)}) > 0))`;
      }
      default: {
        const sign = { lt: "<", lte: "<=", gt: ">", gte: ">=" }[op];
        return `(${found} ${sign} ${bind(value)} AND ${ofType(type, value as Scalar)})`;
      }
    }
  };
  // First, because the other conditions fail on metadata nested deeper than SQLite reads (1,000
  // levels), which stores made by earlier versions may have. Such an item matches no filter, and
  // breaks none.
  return { sql: `(json_valid(metadata) AND ${write(filter)})`, values };
}

function factSql(filter: Extract<Filter, { item: unknown }>, values: string[]): string {
  const ofNumbers = numberFact(filter);
  if (ofNumbers !== undefined) return ofNumbers;
  const { item, op, value } = filter;
  if (op === "exists") return `${item} IS ${value ? "NOT NULL" : "NULL"}`;
  if (op === "in") {
    values.push(JSON.stringify(value));
    return `${item} IN (SELECT value FROM json_each(?))`;
  }
  if (op === "eq") {
    values.push(value as string);
    return `${item} = ?`;
  }
  values.push(value as string, value as string, value as string);
  // The first condition is for the index on ids.
  return `(${item} >= ? AND ${beginsWith(item, "?", "?")})`;
}

const beginsWith = (text: string, start: string, again: string) =>
  `substr(${text}, 1, length(${start})) = ${again}`;

/** The expression of an index on a declared field. */
export function fieldExpression(field: string): string {
  return `json_extract(metadata, ${jsonPath(field)})`;
}

function jsonPath(field: string): string {
  return `'$${fieldPath(field, "filter.field")
    .map((key) => `."${key}"`)
    .join("")}'`;
}

function equal(
  type: string,
  found: string,
  value: Scalar,
  bind: (value: unknown) => string,
): string {
  if (value === null) return `${type} = 'null'`;
  // json_extract gives 1 for true: without the type it would equal the number 1. It does help an
  // index, though.
  return `(${found} = ${bind(value)} AND ${ofType(type, value)})`;
}

function isIn(
  type: string,
  found: string,
  wanted: Scalar[],
  bind: (value: unknown) => string,
  values: string[],
): string {
  const parts: string[] = [];
  for (const kind of ["number", "string"]) {
    const ofKind = wanted.filter((value) => typeof value === kind);
    if (ofKind.length === 0) continue;
    values.push(JSON.stringify(ofKind));
    parts.push(`(${found} IN (SELECT value FROM json_each(?)) AND ${ofType(type, ofKind[0])})`);
  }
  for (const value of [true, false, null])
    if (wanted.includes(value)) parts.push(equal(type, found, value, bind));
  return parts.length === 0 ? "0" : `(${parts.join(" OR ")})`;
}

function ofType(type: string, value: Scalar): string {
  if (typeof value === "number") return `${type} IN ('integer', 'real')`;
  return `${type} = '${typeof value === "string" ? "text" : value}'`;
}
