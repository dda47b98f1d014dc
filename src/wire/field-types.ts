import { z } from "zod";
import { turnClock } from "../json/next-turn.js";

/** Lists up to this length are checked in one go. */
const shortList = 500;
/** Inside an entry of another list, which is checked in one go: so is all that it holds. */
let isInEntry = false;

/**
 * An optional field; `null` is the same as leaving it out, as clients write it for None.
 */
export function optional<S extends z.ZodType>(schema: S) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** The same with a default value. */
export function withDefault<S extends z.ZodType, D extends z.output<S>>(schema: S, fallback: D) {
  return schema
    .nullish()
    .transform((value): z.output<S> => value ?? fallback)
    .meta({ default: fallback });
}

/** A file of a form. In JSON the same field is text, or absent. */
export const Bytes = z.instanceof(Uint8Array);

/** A picture or sound: an upload's bytes (multipart), or text (base64, data URI, URL). */
export const Media = z.union([z.string().min(1), Bytes]);

export const Modality = z.enum(["text", "image", "audio"]);

interface ListInfo {
  entry: z.ZodType;
  min: number;
  max: number;
}
/** For schemas made by `listOf`: the entry schema and the limits. */
const lists = new WeakMap<z.ZodType, ListInfo>();
export const listInfoOf = (schema: z.ZodType): ListInfo | undefined => lists.get(schema);
export const entrySchemaOf = (schema: z.ZodType): z.ZodType | undefined => lists.get(schema)?.entry;

type Issues = z.core.$RefinementCtx["issues"];

/**
 * An array in a body. Unlike `z.array` it stops at its first wrong entry (z.array makes an issue of
 * each of a million), reads no entry of a list that is too long, and checks a long one in turns:
 * parse it with `parseBody`.
 */
export function listOf<S extends z.ZodType>(
  entry: S,
  { min = 0, max = Number.POSITIVE_INFINITY }: { min?: number; max?: number } = {},
) {
  const check = (value: unknown[], i: number, into: z.output<S>[], issues: Issues): boolean => {
    const result = parseEntry(entry, value[i]);
    if (result.success) into.push(result.data);
    else for (const issue of result.error.issues) push(issues, issue, [i, ...issue.path]);
    return result.success;
  };
  const schema = z
    .unknown()
    .transform((value, { issues }): z.output<S>[] | Promise<z.output<S>[]> => {
      if (!Array.isArray(value)) return refuse(issues, "array");
      if (value.length < min || value.length > max) return refuseLength(issues, value, min, max);
      const list: z.output<S>[] = [];
      if (value.length > shortList && !isInEntry) {
        return (async () => {
          const clock = turnClock();
          for (let i = 0; i < value.length && check(value, i, list, issues); i++) {
            if (clock.isUp()) await clock.next();
          }
          return list;
        })();
      }
      for (let i = 0; i < value.length && check(value, i, list, issues); i++);
      return list;
    });
  // The type is that of the parsed value; only `parseBody` may see a promise.
  const typed = schema as unknown as z.ZodType<z.output<S>[], z.input<S>[]>;
  lists.set(typed, { entry, min, max });
  return typed;
}

function parseEntry<S extends z.ZodType>(
  entry: S,
  value: unknown,
): z.ZodSafeParseResult<z.output<S>> {
  const wasInEntry = isInEntry;
  isInEntry = true;
  try {
    return entry.safeParse(value);
  } finally {
    isInEntry = wasInEntry;
  }
}

/** An array of at least one number, of any length, checked without copying. */
export const Numbers = z
  .unknown()
  .transform((value, { issues }): number[] => {
    if (!Array.isArray(value)) return refuse(issues, "array");
    if (value.length === 0) return refuseLength(issues, value, 1, Number.POSITIVE_INFINITY);
    const wrong = value.findIndex((one) => typeof one !== "number");
    return wrong < 0 ? (value as number[]) : refuse(issues, "number", [wrong]);
  })
  .meta({ type: "array", items: { type: "number" }, minItems: 1 }) as unknown as z.ZodType<
  number[],
  number[]
>;

/** An object with any keys, unchanged: zod's record drops `__proto__`. */
export const AnyObject = z
  .unknown()
  .transform(
    (value, { issues }): Record<string, unknown> =>
      typeof value === "object" &&
      value !== null &&
      !Array.isArray(value) &&
      !(value instanceof Uint8Array)
        ? (value as Record<string, unknown>)
        : refuse(issues, "object"),
  )
  .meta({ type: "object" }) as unknown as z.ZodType<Json, Json>;

type Json = Record<string, unknown>;

function refuse(
  issues: Issues,
  expected: "array" | "number" | "object",
  path: PropertyKey[] = [],
): never {
  push(issues, { code: "invalid_type", expected, message: "Invalid input" }, path);
  return z.NEVER;
}

function refuseLength(issues: Issues, value: unknown[], min: number, max: number): never {
  const issue =
    value.length < min
      ? { code: "too_small", origin: "array", minimum: min, inclusive: true, message: "Too small" }
      : { code: "too_big", origin: "array", maximum: max, inclusive: true, message: "Too big" };
  push(issues, issue, []);
  return z.NEVER;
}

function push(issues: Issues, issue: object, path: readonly PropertyKey[]): void {
  issues.push({ ...issue, path: [...path], input: undefined } as Issues[number]);
}
