import type { Context } from "hono";
import type { z } from "zod";
import { AppError } from "../errors.js";

/**
 * The request's JSON body as `schema` says.
 * @throws AppError `invalid_input` naming the first field at fault, what was expected and what came.
 */
export async function readJson<S extends z.ZodType>(c: Context, schema: S): Promise<z.infer<S>> {
  return parseWith(schema, parseJson(await c.req.text()));
}

/** The value of a JSON text; `invalid_input` when it is empty or not JSON. */
export function parseJson(text: string, param?: string): unknown {
  const name = param === undefined ? "The body" : `"${param}"`;
  if (text.trim() === "")
    throw new AppError("invalid_input", `${name} is empty; expected JSON`, { param });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError("invalid_input", `${name} is not valid JSON: ${(error as Error).message}`, {
      param,
      cause: error,
    });
  }
}

/** A value as `schema` says, or `invalid_input` naming the field as it is spelled on the wire, e.g. `a.embeddings[3]`. */
export function parseWith<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = insideUnion(result.error.issues[0]);
  const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]] : issue.path;
  const param = path.length === 0 ? undefined : fieldName(path);
  if (issue.code === "invalid_type" && valueAt(value, path) === undefined) {
    throw new AppError("invalid_input", `"${param}" is missing; expected ${issue.expected}`, {
      param,
    });
  }
  const where = param === undefined ? "the body" : `"${param}"`;
  throw new AppError("invalid_input", `${issue.message} (at ${where})`, { param });
}

type Issue = z.core.$ZodIssue;

/**
 * What a union's alternatives object to, as one issue: of the alternative that got furthest into the value; where several
 * failed at the same place, all the types they expected there.
 */
function insideUnion(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  const inner = issue.errors
    .flatMap((alternative) => alternative.slice(0, 1))
    .map((first) => insideUnion({ ...first, path: [...issue.path, ...first.path] }));
  const depth = Math.max(...inner.map(({ path }) => path.length));
  const furthest = inner.filter(({ path }) => path.length === depth);
  const [first] = furthest;
  if (first?.code !== "invalid_type") return first ?? issue;
  const names = furthest.flatMap((one) =>
    one.code === "invalid_type" ? one.expected.split(" or ") : [],
  );
  const expected = [...new Set(names.map((name) => (name === "Uint8Array" ? "file" : name)))].join(
    " or ",
  );
  const received = first.message.split("received ")[1];
  return {
    ...first,
    expected: expected as typeof first.expected,
    message: `Invalid input: expected ${expected}, received ${received}`,
  };
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
