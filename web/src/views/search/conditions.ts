import type { Filter } from "../../../../src/index/filter.js";

export type Value = string | number | boolean | null;

/**
 * The filter of the address as conditions that all have to hold; undefined when it cannot be read,
 * which the server then says.
 */
export function conditionsOf(filter: string | undefined): readonly Filter[] | undefined {
  if (filter === undefined) return [];
  try {
    const parsed = JSON.parse(filter) as Filter & { and?: unknown };
    return Array.isArray(parsed.and) ? (parsed.and as Filter[]) : [parsed];
  } catch {
    return undefined;
  }
}

export function filterOf(conditions: readonly Filter[]): string | undefined {
  if (conditions.length === 0) return undefined;
  return JSON.stringify(conditions.length === 1 ? conditions[0] : { and: conditions });
}

/** Conditions on a field that its facet shows as chosen values or bounds. */
export function ofField(conditions: readonly Filter[], field: string): Filter[] {
  return conditions.filter(
    (one) => valuesIn(one)?.field === field || boundIn(one)?.field === field,
  );
}

export const withoutField = (conditions: readonly Filter[], field: string): Filter[] => {
  const removed = new Set(ofField(conditions, field));
  return conditions.filter((one) => !removed.has(one));
};

/** The values of a field that a condition lets through; undefined for other conditions. */
export function valuesIn(condition: Filter): { field: string; values: Value[] } | undefined {
  if ("or" in condition && Array.isArray(condition.or)) {
    const parts = condition.or.map(valuesIn);
    const field = parts[0]?.field;
    if (field === undefined || parts.some((part) => part?.field !== field)) return undefined;
    return { field, values: parts.flatMap((part) => part!.values) };
  }
  if (!("field" in condition)) return undefined;
  const { field, op, value } = condition;
  if (op === "eq" || op === "contains") return { field, values: [value as Value] };
  return op === "in" ? { field, values: value as Value[] } : undefined;
}

/** Items with any of the values. An array has a value as one of its elements. */
export function anyOf(field: string, values: readonly Value[], isArray: boolean): Filter {
  if (!isArray) return { field, op: "in", value: values };
  const parts = values.map((value): Filter => ({ field, op: "contains", value }));
  return parts.length === 1 ? parts[0] : { or: parts };
}

interface Bound {
  field: string;
  op: "gte" | "lte";
  value: number;
}

export function boundIn(condition: Filter): Bound | undefined {
  if (!("field" in condition) || typeof condition.value !== "number") return undefined;
  const { op } = condition;
  return op === "gte" || op === "lte" ? (condition as Bound) : undefined;
}

export const chosenInWords = (count: number) =>
  count === 1 ? "1 chosen item" : `${count.toLocaleString()} chosen items`;

/** "kind: animal or plant", "year from 2019"; what the page does not make itself stays JSON. */
export function conditionInWords(condition: Filter): string {
  const chosen = valuesIn(condition);
  if (chosen !== undefined) return `${chosen.field}: ${chosen.values.map(String).join(" or ")}`;
  const ids = idsIn(condition);
  if (ids !== undefined) return chosenInWords(ids.length);
  const bound = boundIn(condition);
  if (bound === undefined) return JSON.stringify(condition);
  return `${bound.field} ${bound.op === "gte" ? "from" : "up to"} ${bound.value}`;
}

/** The ids of a condition that `showInSearch` of chosen.ts has made. */
function idsIn(condition: Filter): readonly string[] | undefined {
  const isByIds = "item" in condition && condition.item === "id" && condition.op === "in";
  return isByIds ? (condition.value as string[]) : undefined;
}
