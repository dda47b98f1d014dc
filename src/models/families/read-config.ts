import { z } from "zod";

/**
 * A configuration file by a schema that knows each of its keys. null counts as missing, and so does
 * a disabled step (`do_…: false`). Any other unknown key is refused: it may change the numbers.
 *
 * @throws RangeError naming the file and the key.
 */
export function readConfig<S extends z.ZodType>(
  file: string,
  config: Record<string, unknown>,
  schema: S,
): z.infer<S> {
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const isGiven = ([key, value]: [string, unknown]) =>
    value !== null && (value !== false || names.includes(key) || !key.startsWith("do_"));
  const result = schema.safeParse(Object.fromEntries(Object.entries(config).filter(isGiven)));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue.code === "unrecognized_keys")
    throw new RangeError(
      `${file}: "${[...issue.path, issue.keys[0]].join(".")}" is unknown and may change the ` +
        "numbers",
    );
  const received = issue.path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown>)?.[key],
    config,
  );
  throw new RangeError(
    `${file}: "${issue.path.join(".")}": ${issue.message}, received ${shown(received)}`,
  );
}

const shown = (value: unknown) => (JSON.stringify(value) ?? "nothing").slice(0, 80);

/** A key whose value has no influence on the numbers. */
export const harmless = z.unknown().optional();

/** A key that is only accepted with values that change nothing. */
export const only = <T extends string | number | boolean>(...values: [T, ...T[]]) =>
  z.literal(values, { error: `Only ${values.map(shown).join(" or ")} is supported` }).optional();

export const flag = z.boolean({ error: "Expected true or false" }).optional();
