import type { Context } from "hono";
import { z } from "zod";
import { AppError } from "../errors.js";
import { parseJson, parseWith } from "./read-json.js";

/** A picture or sound in a body schema: uploaded bytes (multipart) or text (base64, data URI, URL). */
export const Media = z.union([z.string().min(1), z.instanceof(Uint8Array)]);

/**
 * A request that may come as JSON or as multipart/form-data, as `schema` says. In a form, a file becomes its bytes, a
 * field named in `json` is parsed as JSON, and one named in `lists` becomes an array: of a JSON array, or of the repeated field.
 */
export async function readRequest<S extends z.ZodType>(
  c: Context,
  schema: S,
  { json = [], lists = [] }: { json?: readonly string[]; lists?: readonly string[] } = {},
): Promise<z.infer<S>> {
  const type = c.req.header("content-type") ?? "";
  if (!type.startsWith("multipart/form-data")) {
    if (type !== "" && !/^application\/([\w.+-]+\+)?json\b/.test(type)) {
      const message = `Expected application/json or multipart/form-data but received ${type.split(";")[0]}`;
      throw new AppError("unsupported_media", message, { param: "content-type" });
    }
    return parseWith(schema, parseJson(await c.req.text()));
  }
  let form: FormData;
  try {
    form = await c.req.formData();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("invalid_input", "The multipart body is malformed or cut short", { cause: error });
  }
  const value: Record<string, unknown> = {};
  for (const name of new Set(form.keys())) {
    const entries = await Promise.all(
      form.getAll(name).map((entry) => (typeof entry === "string" ? entry : bytesOf(entry))),
    );
    const [first] = entries;
    if (lists.includes(name))
      value[name] = entries.length === 1 && isJsonArray(first) ? parseJson(first, name) : entries;
    else if (entries.length > 1)
      throw new AppError("invalid_input", `"${name}" was given ${entries.length} times`, { param: name });
    else value[name] = json.includes(name) && typeof first === "string" ? parseJson(first, name) : first;
  }
  return parseWith(schema, value);
}

const isJsonArray = (entry: unknown): entry is string => typeof entry === "string" && entry.trimStart().startsWith("[");

async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}
