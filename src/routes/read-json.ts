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
  if (text.trim() === "") throw new AppError("invalid_input", `${name} is empty; expected JSON`, { param });
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
  const issue = result.error.issues[0];
  const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]] : issue.path;
  const param = path.length === 0 ? undefined : fieldName(path);
  if (issue.code === "invalid_type" && valueAt(value, path) === undefined) {
    throw new AppError("invalid_input", `"${param}" is missing; expected ${issue.expected}`, { param });
  }
  const where = param === undefined ? "the body" : `"${param}"`;
  throw new AppError("invalid_input", `${issue.message} (at ${where})`, { param });
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step], value);
}

function fieldName(path: readonly PropertyKey[]): string {
  let name = "";
  for (const step of path) {
    if (typeof step === "number") name += `[${step}]`;
    else name += name === "" ? String(step) : `.${String(step)}`;
  }
  return name;
}
