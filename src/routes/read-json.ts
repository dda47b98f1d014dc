import type { Context } from "hono";
import type { z } from "zod";
import { AppError } from "../errors.js";
import { parseJsonBytes } from "../json/parse-json.js";
import type { BodyShare } from "../media/body-budget.js";
import { parseBody } from "../wire/parse-with.js";
import { type ParametrizedHeader, parametrized } from "./header-params.js";
import { readBody } from "./read-body.js";

/**
 * The request's JSON body by `schema`.
 * @throws AppError `unsupported_media` when it is of another type; `invalid_input` naming the first
 *   field at fault, what was expected and what came; `too_large`.
 */
export async function readJson<S extends z.ZodType>(c: Context, schema: S): Promise<z.infer<S>> {
  return parseBody(schema, await jsonBody(c));
}

/** The JSON body, read and parsed only once. */
export async function jsonBody(c: Context): Promise<unknown> {
  const kept = c.get("jsonBody") as { value: unknown } | undefined;
  if (kept !== undefined) return kept.value;
  const type = contentTypeOf(c);
  if (type !== undefined) checkJsonType(type, "application/json");
  const value = await parseHeld(c, await readBody(c));
  c.set("jsonBody", { value });
  return value;
}

/** Parses JSON of a body, whose values are counted like its bytes. @throws as parseJsonBytes. */
export function parseHeld(c: Context, bytes: Uint8Array, param?: string): Promise<unknown> {
  const share = c.get("bodyShare") as BodyShare | undefined;
  return parseJsonBytes(bytes, { param, onHeld: (heldBytes) => share?.add(heldBytes) });
}

/** The Content-Type, or undefined when there is none. */
export function contentTypeOf(c: Context): ParametrizedHeader | undefined {
  const header = c.req.header("content-type") ?? "";
  if (header.trim() === "") return undefined;
  const type = parametrized(header);
  if (type !== undefined) return type;
  const message = `The Content-Type "${header.slice(0, 80)}" is malformed`;
  throw new AppError("unsupported_media", message, { param: "content-type" });
}

/**
 * @throws AppError `unsupported_media` for another type than JSON, or JSON in another charset than
 * UTF-8.
 */
export function checkJsonType({ value, params }: ParametrizedHeader, expected: string): void {
  if (!/^application\/([\w.+-]+\+)?json$/.test(value)) {
    const message = `Expected ${expected} but received ${value}`;
    throw new AppError("unsupported_media", message, { param: "content-type" });
  }
  checkUtf8(params);
}

/** @throws AppError `unsupported_media` unless the charset is UTF-8, as that of JSON always is. */
export function checkUtf8(params: ParametrizedHeader["params"]): void {
  const charset = params.get("charset")?.toLowerCase() ?? "utf-8";
  if (["utf-8", "utf8", "us-ascii", "ascii"].includes(charset)) return;
  const message = `Expected JSON in UTF-8 but received the charset "${charset.slice(0, 40)}"`;
  throw new AppError("unsupported_media", message, { param: "content-type" });
}
