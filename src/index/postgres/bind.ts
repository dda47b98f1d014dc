/** Takes a value and gives its placeholder in the text of a statement. */
export type Bind = (value: unknown) => string;

/** A statement's values, in the order in which they were bound. */
export function binding(): { values: unknown[]; bind: Bind } {
  const values: unknown[] = [];
  return { values, bind: (value) => `$${values.push(value)}` };
}
