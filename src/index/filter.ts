import { likelyMeant } from "../closest.js";
import { invalidInput as wrong } from "../errors.js";

/**
 * A condition on metadata. `field` is a dot path into the item's metadata (`"year"`,
 * `"place.country"`).
 *
 * - `eq`: same type and same value; `null` is a value. `in`: `eq` to one of an array of scalars.
 * - `lt`, `lte`, `gt`, `gte`: numbers with numbers, strings with strings (by code point); other
 *   types never match.
 * - `exists`: `value` true asks for the field (even null), false for its absence.
 * - `contains`: an array that has the scalar as an element, or a string that has the string in it.
 * - `prefix`: a string that begins with the string.
 *
 * A missing field matches nothing but `exists: false`. `not` is plain negation, so it does match
 * missing fields.
 *
 * With `item` instead of `field` it is on the item itself: its `id` or `source` (`eq`, `in`,
 * `prefix`, `exists`), its `modality` (`eq`, `in`) or `added_at` (`lt`, `lte`, `gt`, `gte` with a
 * time as ISO 8601).
 */
export type Filter =
  | { and: Filter[] }
  | { or: Filter[] }
  | { not: Filter }
  | { field: string; op: FilterOp; value: unknown }
  | { item: ItemFact; op: FilterOp; value: unknown };

export type FilterOp = (typeof ops)[number];
export type ItemFact = keyof typeof factOps;
export type Scalar = string | number | boolean | null;

const ops = ["eq", "in", "lt", "lte", "gt", "gte", "exists", "contains", "prefix"] as const;
/** The operators for each fact about an item. */
const factOps = {
  id: ["eq", "in", "prefix"],
  source: ["eq", "in", "prefix", "exists"],
  modality: ["eq", "in"],
  added_at: ["lt", "lte", "gt", "gte"],
} as const;
const maxDepth = 32;
const maxConditions = 256;
const maxInValues = 10_000;

/**
 * Checks a filter: known operators, values of the right type, a size that any driver can handle.
 * @param allowEmpty  whether "and" and "or" may be empty: all items, or none.
 * @throws AppError invalid_input, naming the part at fault as in `filter.and[1].value`.
 */
export function checkFilter(filter: unknown, { allowEmpty = true } = {}): Filter {
  let conditions = 0;
  const check = (part: unknown, at: string, depth: number): Filter => {
    if (depth > maxDepth) throw wrong(at, `Expected a filter at most ${maxDepth} levels deep`);
    if (typeof part !== "object" || part === null || Array.isArray(part)) {
      throw wrong(
        at,
        `Expected an object with "and", "or", "not" or "field" but received ${show(part)}`,
      );
    }
    if (++conditions > maxConditions)
      throw wrong(at, `Expected at most ${maxConditions} conditions in a filter`);
    const fields = part as Record<string, unknown>;
    const combiners = (["and", "or", "not"] as const).filter((key) => Object.hasOwn(fields, key));
    const subject = Object.hasOwn(fields, "item") ? "item" : "field";
    onlyKeys(fields, combiners.length > 0 ? combiners.slice(0, 1) : [subject, "op", "value"], at);
    if (combiners[0] === "and") return { and: list(fields.and, `${at}.and`, depth) };
    if (combiners[0] === "or") return { or: list(fields.or, `${at}.or`, depth) };
    if (combiners[0] === "not") return { not: check(fields.not, `${at}.not`, depth + 1) };
    if (subject === "item") return checkFact(fields, at);
    const { field, op, value } = fields;
    fieldPath(field, `${at}.field`);
    if (!ops.includes(op as FilterOp)) {
      throw wrong(
        `${at}.op`,
        `Expected one of ${ops.join(", ")} as filter operator but received ${show(op)}`,
      );
    }
    checkValue(op as FilterOp, value, `${at}.value`);
    return { field: field as string, op: op as FilterOp, value };
  };
  const list = (parts: unknown, at: string, depth: number) => {
    if (!Array.isArray(parts))
      throw wrong(at, `Expected an array of filters but received ${show(parts)}`);
    if (parts.length === 0 && !allowEmpty)
      throw wrong(at, `Expected at least one filter in "${at}"`);
    return parts.map((part, i) => check(part, `${at}[${i}]`, depth + 1));
  };
  return check(filter, "filter", 1);
}

/** A condition on the item itself. */
function checkFact({ item, op, value }: Record<string, unknown>, at: string): Filter {
  if (typeof item !== "string" || !Object.hasOwn(factOps, item)) {
    const facts = Object.keys(factOps).join(", ");
    throw wrong(`${at}.item`, `Expected one of ${facts} but received ${show(item)}`);
  }
  const fact = item as ItemFact;
  const allowed: readonly unknown[] = factOps[fact];
  if (!allowed.includes(op)) {
    const message =
      `Expected one of ${allowed.join(", ")} as operator for ` + `${fact} but received ${show(op)}`;
    throw wrong(`${at}.op`, message);
  }
  checkValue(op as FilterOp, value, `${at}.value`);
  const values = Array.isArray(value) ? value : [value];
  const modalities = ["text", "image", "audio"];
  if (fact === "modality" && !values.every((one) => modalities.includes(one as string))) {
    const message = `Expected text, image or audio but received ${show(value)}`;
    throw wrong(`${at}.value`, message);
  }
  if (fact === "added_at") return { item: fact, op: op as FilterOp, value: timeOf(value, at) };
  if (op !== "exists" && !values.every((one) => typeof one === "string"))
    throw wrong(`${at}.value`, `Expected text for ${fact} but received ${show(value)}`);
  return { item: fact, op: op as FilterOp, value };
}

/** The canonical spelling of a time, for comparison. */
function timeOf(value: unknown, at: string): string {
  if (isTime(value)) return new Date(value).toISOString();
  throw wrong(`${at}.value`, `Expected ${timeExample} for added_at but received ${show(value)}`);
}

export const timeExample = 'a date or time as "2026-01-31" or "2026-01-31T18:00:00Z"';

/**
 * Whether it is a date of the calendar, or a time with its zone. `Date.parse` reads much more: "5"
 * as May 2001, 30 February as 2 March, and a time without zone as that of the server.
 */
export function isTime(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const shape = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;
  const [, date] = shape.exec(value) ?? [];
  if (date === undefined || Number.isNaN(Date.parse(value))) return false;
  return new Date(date).toISOString().startsWith(date);
}

/** Ignoring an unknown key would widen what the filter finds, or deletes. */
function onlyKeys(fields: Record<string, unknown>, allowed: readonly string[], at: string): void {
  const other = Object.keys(fields).find((key) => !allowed.includes(key));
  if (other === undefined) return;
  const shown = other.length > 80 ? `${other.slice(0, 80)}…` : other;
  const suggestion = likelyMeant(other, ["field", "item", "op", "value", "and", "or", "not"]);
  const shape = `{"field": "year", "op": "gte", "value": 2020}`;
  const [only] = allowed;
  const advice =
    allowed.length === 1
      ? `"${only}" must be the only key of its object; to combine: {"and": [{"${only}": …}, …]}`
      : suggestion === undefined || suggestion === other
        ? `expected "field", "op" and "value", or "and", "or" or "not": ${shape}`
        : `did you mean "${suggestion}"?`;
  throw wrong(`${at}.${shown}`, `Unknown key "${shown}" in "${at}": ${advice}`);
}

/**
 * The keys of a dot path. Quotes, backslashes and control characters are refused: so drivers need
 * not escape them.
 * @throws AppError invalid_input.
 */
export function fieldPath(field: unknown, param: string): string[] {
  const keys = typeof field === "string" ? field.split(".") : [];
  const plain =
    keys.length > 0 &&
    keys.length <= 16 &&
    keys.every((key) => /^(?:[^"'`\\\p{C}]|\p{Cf}){1,128}$/u.test(key));
  if (!plain) {
    throw wrong(
      param,
      'Expected a metadata field like "year" or "place.country" (no quotes, backslashes or ' +
        `control characters) but received ${show(field)}`,
    );
  }
  return keys;
}

function checkValue(op: FilterOp, value: unknown, at: string) {
  if (op === "exists") {
    if (typeof value !== "boolean")
      throw wrong(at, `Expected true or false for "exists" but received ${show(value)}`);
  } else if (op === "in") {
    if (!Array.isArray(value) || !value.every(isScalar)) {
      throw wrong(
        at,
        'Expected an array of strings, numbers, booleans or nulls for "in" but received ' +
          `${show(value)}`,
      );
    }
    if (value.length > maxInValues)
      throw wrong(at, `Expected at most ${maxInValues} values for "in"`);
  } else if (op === "prefix") {
    if (typeof value !== "string" || !isPlainText(value))
      throw wrong(at, `Expected text for "prefix" but received ${show(value)}`);
  } else if (op === "eq" || op === "contains") {
    if (!isScalar(value)) {
      throw wrong(
        at,
        `Expected a string, number, boolean or null for "${op}" but received ${show(value)}`,
      );
    }
  } else if ((typeof value !== "number" && typeof value !== "string") || !isScalar(value)) {
    throw wrong(at, `Expected a number or a string for "${op}" but received ${show(value)}`);
  }
}

export function isScalar(value: unknown): value is Scalar {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "string") return isPlainText(value);
  return value === null || typeof value === "boolean";
}

/** Text that every database can store: no U+0000 and no unpaired surrogate. */
export function isPlainText(text: string): boolean {
  return !text.includes("\0") && !/\p{Surrogate}/u.test(text);
}

function show(value: unknown): string {
  const text = typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
