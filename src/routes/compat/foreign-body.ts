import type { z } from "zod";
import { parseBody } from "../../wire/parse-with.js";
import { jsonBody } from "../read-json.js";
import type { ForeignContext } from "./shape.js";

/** The body by `schema`; it is parsed once, even if a sniff has read it before. */
export async function foreignBody<S extends z.ZodType>(
  c: ForeignContext,
  schema: S,
): Promise<z.infer<S>> {
  return parseBody(schema, await jsonBody(c));
}

/** Whether the body is JSON with that field. */
export async function hasField(c: ForeignContext, ...names: string[]): Promise<boolean> {
  if (/^multipart\//i.test(c.req.header("content-type") ?? "")) return false;
  const body = await jsonBody(c);
  return (
    typeof body === "object" && body !== null && names.some((name) => Object.hasOwn(body, name))
  );
}
