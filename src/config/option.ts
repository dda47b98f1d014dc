import { z } from "zod";

/** How an option is written in the environment or as a flag, and what it means. */
export interface Option<S extends z.ZodType> {
  schema: S;
  default: z.infer<S>;
  /** Text from the environment or a flag -> what `schema` checks. */
  fromText: (text: string) => unknown;
  /** One sentence: what it is, its unit, and when one would change it. */
  description: string;
  /** How a value that may have a secret in it is shown; no message repeats its text. */
  shown?(value: z.infer<S>): string;
}

/**
 * An address without what may be secret in it: everything before its host but the name of a
 * database's user, and its query.
 */
export function shownAddress(address: string): string {
  const hidden = address.replace(/^(\w+:\/\/).*@/s, (login, scheme) => {
    const user = /^postgres(?:ql)?:\/\/([^:@/?]*)/.exec(login)?.[1];
    return user ? `${scheme}${user}@` : scheme;
  });
  return hidden.replace(/[?#].*$/s, "?…");
}

export const option = <S extends z.ZodType>(
  schema: S,
  fallback: z.infer<S>,
  fromText: (text: string) => unknown,
  description: string,
): Option<S> => ({ schema, default: fallback, fromText, description });

export const number = (text: string) => (text.trim() === "" ? Number.NaN : Number(text));
export const asIs = (text: string) => text;
export const list = (text: string) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
/** `a=b,c=d` -> {a: "b", c: "d"}; anything else is left for the schema to refuse. */
export const pairs = (text: string) =>
  Object.fromEntries(
    list(text).map((pair) => {
      const [name, ...rest] = pair.split("=").map((part) => part.trim());
      return name === "" || rest.length !== 1 ? [pair, ""] : [name, rest[0]];
    }),
  );
export const count = z.int().positive();

export const flagOf = (name: string) =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
export const environmentNameOf = (name: string) =>
  `CROSSMODAL_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
