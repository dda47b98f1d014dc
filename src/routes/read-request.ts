import type { Context } from "hono";
import type { z } from "zod";
import { type AppError, invalidInput } from "../errors.js";
import { parseBody } from "../wire/parse-with.js";
import { boundedBody } from "./read-body.js";
import { type FormEntry, readForm } from "./read-form.js";
import { checkJsonType, contentTypeOf, parseHeld, readJson } from "./read-json.js";

/**
 * A request as JSON or multipart/form-data, by `schema`. In a form, a file becomes its bytes, a
 * field named in `json` is parsed as JSON, and one named in `lists` becomes an array: of a JSON
 * array, or of the repeated field. For those also in `names`, a single plain field with a comma is
 * refused: it is most likely meant as several.
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
  const type = contentTypeOf(c);
  if (type?.value !== "multipart/form-data") {
    if (type !== undefined) checkJsonType(type, "application/json or multipart/form-data");
    return readJson(c, schema);
  }
  const value: Record<string, unknown> = {};
  const jsonOf = (text: string, param: string) => parseHeld(c, Buffer.from(text), param);
  for (const [name, entries] of await readForm(boundedBody(c), type)) {
    const [first] = entries;
    if (
      names.includes(name) &&
      entries.length === 1 &&
      !isJsonArray(first) &&
      String(first).includes(",")
    )
      throw unclearList(name, String(first));
    if (lists.includes(name))
      value[name] =
        entries.length === 1 && isJsonArray(first) ? await jsonOf(first, name) : entries;
    else if (entries.length > 1)
      throw invalidInput(name, `"${name}" appears ${entries.length} times`);
    else if (json.includes(name) && typeof first === "string")
      value[name] = await jsonOf(first, name);
    else Object.defineProperty(value, name, { value: first, enumerable: true }); // also `__proto__`
  }
  return parseBody(schema, value);
}

const isJsonArray = (entry: FormEntry): entry is string =>
  typeof entry === "string" && entry.trimStart().startsWith("[");

function unclearList(name: string, text: string): AppError {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  const message =
    `Expected a JSON array in the form field "${name}", or the field once for each, but ` +
    `received "${shown}". ` +
    `If it is several: ${name}=["a","b"]; if it is one with a comma in it: ${name}=["a, b"]`;
  return invalidInput(name, message);
}
