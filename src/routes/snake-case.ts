type SnakeName<S extends string> = S extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${SnakeName<Rest>}`
    : `_${Lowercase<First>}${SnakeName<Rest>}`
  : S;

/** A type with its names in wire spelling. */
export type SnakeCase<T> = T extends readonly unknown[]
  ? { [I in keyof T]: SnakeCase<T[I]> }
  : T extends object
    ? { [K in keyof T as K extends string ? SnakeName<K> : K]: SnakeCase<T[K]> }
    : T;

/**
 * Plain JSON with its camelCase names in wire spelling: `bestEpoch` becomes `best_epoch`, at
 * every depth.
 */
export function snakeCase<T>(value: T): SnakeCase<T> {
  if (Array.isArray(value)) return value.map(snakeCase) as SnakeCase<T>;
  if (typeof value !== "object" || value === null) return value as SnakeCase<T>;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [snakeName(name), snakeCase(inner)]),
  ) as SnakeCase<T>;
}

const snakeName = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
