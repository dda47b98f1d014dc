import type { Context } from "hono";
import { z } from "zod";
import { AppError } from "../errors.js";
import { parseJson, parseWith } from "./read-json.js";

/** A picture or sound in a body schema: uploaded bytes (multipart) or text (base64, data URI, URL). */
export const Media = z.union([z.string().min(1), z.instanceof(Uint8Array)]);

/**
 * A request that may come as JSON or as multipart/form-data, as `schema` says. In a form, a file becomes its bytes, a
 * field named in `json` is parsed as JSON, and one named in `lists` becomes an array: of a JSON array, or of the repeated field.
 * In those named in `names` too, one plain field with a comma is refused: it is most likely meant as several.
 */
export async function readRequest<S extends z.ZodType>(
  c: Context,
  schema: S,
  {
    json = [],
    lists = [],
    names = [],
  }: { json?: readonly string[]; lists?: readonly string[]; names?: readonly string[] } = {},
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
    throw new AppError("invalid_input", "The multipart body is malformed or cut short", {
      cause: error,
    });
  }
  const value: Record<string, unknown> = {};
  for (const name of new Set(form.keys())) {
    const entries = await Promise.all(
      form.getAll(name).map((entry) => (typeof entry === "string" ? entry : bytesOf(entry))),
    );
    const [first] = entries;
    if (
      names.includes(name) &&
      entries.length === 1 &&
      !isJsonArray(first) &&
      String(first).includes(",")
    )
      throw unclearList(name, String(first));
    if (lists.includes(name))
      value[name] = entries.length === 1 && isJsonArray(first) ? parseJson(first, name) : entries;
    else if (entries.length > 1)
      throw new AppError("invalid_input", `"${name}" was given ${entries.length} times`, {
        param: name,
      });
    else
      value[name] =
        json.includes(name) && typeof first === "string" ? parseJson(first, name) : first;
  }
  return parseWith(schema, value);
}

const isJsonArray = (entry: unknown): entry is string =>
  typeof entry === "string" && entry.trimStart().startsWith("[");

function unclearList(name: string, text: string): AppError {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  const message =
    `Expected a JSON array in the form field "${name}", or the field once for each, but received "${shown}". ` +
    `If it is several: ${name}=["a","b"]; if it is one with a comma in it: ${name}=["a, b"]`;
  return new AppError("invalid_input", message, { param: name });
}

async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}
