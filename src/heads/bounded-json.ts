import { AppError } from "../errors.js";

export interface JsonLimits {
  /** Characters of the text. */
  maxCharacters: number;
  /** Objects and arrays inside each other. */
  maxDepth: number;
  /** Values of any kind, nested ones included. */
  maxValues: number;
  /** Characters of a string or a key. */
  maxStringCharacters: number;
}

/**
 * The value of an untrusted JSON text, small and flat enough for the code that uses it, much of
 * which is recursive.
 * @param name  the text's name in errors.
 * @throws AppError `model_corrupt` naming the limit.
 */
export function parseBoundedJson(text: string, name: string, limits: JsonLimits): unknown {
  const corrupt = (why: string, cause?: unknown) =>
    new AppError("model_corrupt", `${name} ${why}`, { cause });
  const { maxCharacters, maxDepth, maxValues, maxStringCharacters } = limits;
  if (text.length > maxCharacters)
    throw corrupt(`has ${text.length} characters; expected at most ${maxCharacters}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw corrupt("is not JSON", error);
  }
  let level = [value]; // by levels, without recursion
  let count = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) throw corrupt(`is nested deeper than ${maxDepth} levels`);
    count += level.length;
    if (count > maxValues) throw corrupt(`holds more than ${maxValues} values`);
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one === "string" && one.length > maxStringCharacters)
        throw corrupt(`holds a text of ${one.length} characters`);
      if (typeof one !== "object" || one === null) continue;
      for (const [key, inner] of Object.entries(one)) {
        if (key.length > maxStringCharacters || key === "__proto__")
          throw corrupt(`holds the key "${key.slice(0, 40)}"`);
        next.push(inner);
      }
    }
    level = next;
  }
  return value;
}
