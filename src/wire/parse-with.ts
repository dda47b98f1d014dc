import type { z } from "zod";
import { likelyMeant } from "../closest.js";
import { AppError, invalidInput } from "../errors.js";
import { entrySchemaOf } from "./field-types.js";

/**
 * A value by `schema`. For bodies: long lists are checked in turns.
 * @throws AppError `invalid_input` naming the first field at fault as it is spelled on the wire,
 *   e.g. `a.embeddings[3]`, what was expected and what came.
 */
export async function parseBody<S extends z.ZodType>(
  schema: S,
  value: unknown,
): Promise<z.infer<S>> {
  const result = await schema.safeParseAsync(value);
  if (result.success) return result.data;
  throw refusal(schema, value, result.error.issues);
}

/** The same for a value without long lists. */
export function parseWith<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw refusal(schema, value, result.error.issues);
}

type Issue = z.core.$ZodIssue;

function refusal(schema: z.ZodType, value: unknown, issues: readonly Issue[]): AppError {
  const issue = insideUnion(issues[0]);
  if (issue.code === "unrecognized_keys") return unknownField(schema, value, issue);
  const { path } = issue;
  if (issue.code === "custom" && issue.params?.error instanceof AppError) {
    const outside = fieldName(path.slice(0, -1)); // the error's own param begins with the field
    return outside === "" ? issue.params.error : issue.params.error.within(outside);
  }
  const param = path.length === 0 ? undefined : fieldName(path);
  const where = param === undefined ? "The body" : `"${param}"`;
  const received = valueAt(value, path);
  if (issue.code === "invalid_type" && received === undefined) {
    const isList = schemasAt(schema, path).some((one) => entrySchemaOf(one as z.ZodType));
    const expected = isList ? "array" : issue.expected;
    // Most likely given in its place
    const unknown = issues.find((one) => one.code === "unrecognized_keys");
    const name = unknown && fieldName([...unknown.path, unknown.keys[0].slice(0, 80)]);
    const instead = name === undefined ? "" : `; "${name}" is unknown`;
    return invalidInput(param, `${where} is missing; expected ${wordsOf(expected)}${instead}`);
  }
  return invalidInput(param, `${where}: ${explain(issue, received)}`);
}

function explain(issue: Issue, received: unknown): string {
  // The schema's own words
  if (!/^(Too small|Too big|Invalid)/.test(issue.message)) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return `expected ${wordsOf(issue.expected)}, received ${kindOf(received)}`;
    case "invalid_value": {
      const values = issue.values.map((value) => JSON.stringify(value));
      const expected = `${values.length > 1 ? "one of " : ""}${values.join(", ")}`;
      return `expected ${expected}, received ${show(received)}`;
    }
    case "too_small":
      return (
        `expected ${issue.inclusive ? "at least" : "more than"} ` +
        `${bound(issue.minimum, issue.origin)}, received ${sizeOf(received)}`
      );
    case "too_big":
      return (
        `expected ${issue.inclusive ? "at most" : "less than"} ` +
        `${bound(issue.maximum, issue.origin)}, received ${sizeOf(received)}`
      );
    default:
      return `${issue.message}, received ${show(received)}`;
  }
}

const words: Record<string, string> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  record: "an object",
  Uint8Array: "a file",
  nonoptional: "a value",
};
const wordsOf = (expected: string) =>
  expected
    .split(" or ")
    .map((one) => words[one] ?? one)
    .join(" or ");

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Uint8Array) return "a file";
  if (typeof value === "number" && Number.isFinite(value)) return `the number ${value}`;
  if (typeof value === "boolean") return String(value);
  return words[typeof value] ?? typeof value;
}

function show(value: unknown): string {
  if (typeof value !== "string") return kindOf(value);
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

function bound(limit: number | bigint, origin: string): string {
  const units: Record<string, [string, string]> = {
    string: ["character", "characters"],
    array: ["entry", "entries"],
  };
  const unit = units[origin]?.[Number(limit) === 1 ? 0 : 1];
  const number = origin === "number" ? String(limit) : limit.toLocaleString("en");
  return unit === undefined ? number : `${number} ${unit}`;
}

function sizeOf(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string" && !Array.isArray(value)) return kindOf(value);
  return value.length === 0 ? "none" : value.length.toLocaleString("en");
}

type UnknownKeys = Extract<Issue, { code: "unrecognized_keys" }>;

function unknownField(
  schema: z.ZodType,
  value: unknown,
  { path, keys: [key] }: UnknownKeys,
): AppError {
  const shown = key.length > 80 ? `${key.slice(0, 80)}…` : key;
  const param = fieldName([...path, shown]);
  const names = namesAt(schema, path);
  const present = Object.keys(valueAt(value, path) ?? {});
  const suggestion = likelyMeant(
    key,
    names.filter((name) => !present.includes(name)),
  );
  const advice =
    suggestion !== undefined
      ? `; did you mean "${suggestion}"?`
      : names.length > 0
        ? `; expected ${names.join(", ")}`
        : "";
  return invalidInput(param, `Unknown field "${param}"${advice}`);
}

/** The fields of a schema at a path. */
function namesAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const here = schemasAt(schema, path);
  return [
    ...new Set(here.flatMap((one) => ("shape" in one ? Object.keys(one.shape as object) : []))),
  ];
}

function schemasAt(schema: z.ZodType, path: readonly PropertyKey[]): z.core.$ZodType[] {
  let here = alternatives(schema);
  for (const step of path) here = here.flatMap((one) => inside(one, step)).flatMap(alternatives);
  return here;
}

/** A schema without its wrappers; a union's options. */
function alternatives(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { def } = schema._zod as unknown as { def: Record<string, unknown> & { type: string } };
  if (def.type === "union") return (def.options as z.core.$ZodType[]).flatMap(alternatives);
  if (def.type === "pipe") {
    const [from, to] = [def.in, def.out] as z.core.$ZodType[];
    return entrySchemaOf(schema as z.ZodType) !== undefined
      ? [schema]
      : [from, to].flatMap(alternatives);
  }
  const wrapped = def.innerType as z.core.$ZodType | undefined;
  return wrapped === undefined ? [schema] : alternatives(wrapped);
}

function inside(schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType[] {
  if (typeof step === "number") {
    const entry =
      entrySchemaOf(schema as z.ZodType) ?? (schema as { element?: z.core.$ZodType }).element;
    return entry === undefined ? [] : [entry];
  }
  const { shape } = schema as { shape?: Record<PropertyKey, z.core.$ZodType> };
  return shape !== undefined && Object.hasOwn(shape, step) ? [shape[step]] : [];
}

/**
 * The issues of a union's alternatives as one: that of the alternative that got furthest into the
 * value; if several failed at the same path, all types expected there.
 */
function insideUnion(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  const inner = issue.errors
    .flatMap((alternative) => alternative.slice(0, 1))
    .map((first) => insideUnion({ ...first, path: [...issue.path, ...first.path] }));
  const depth = Math.max(...inner.map(({ path }) => path.length));
  const furthest = inner.filter(({ path }) => path.length === depth);
  // The alternative for this kind of value has the most specific issue.
  const first = furthest.find(({ code }) => code !== "invalid_type") ?? furthest[0];
  if (first?.code !== "invalid_type") return first ?? issue;
  const names = furthest.flatMap((one) =>
    one.code === "invalid_type" ? one.expected.split(" or ") : [],
  );
  return { ...first, expected: [...new Set(names)].join(" or ") as typeof first.expected };
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step],
    value,
  );
}

function fieldName(path: readonly PropertyKey[]): string {
  let name = "";
  for (const step of path) {
    if (typeof step === "number") name += `[${step}]`;
    else name += name === "" ? String(step) : `.${String(step)}`;
  }
  return name;
}
