/** An array or object being read: one of the two. */
export interface Level {
  array: unknown[] | undefined;
  object: Record<string, unknown> | undefined;
  /** Of the current member. */
  key: string;
  keys: number;
  /** Within an item's metadata, which must round-trip. */
  isMetadata: boolean;
}

/** Adds the next element, or the current member's value. */
export function put({ array, object, key }: Level, value: unknown): void {
  if (array !== undefined) array.push(value);
  else if (key === "__proto__") {
    const property = { value, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(object, key, property);
  } else object![key] = value;
}

/**
 * The path of the next value, as spelled on the wire: `items[2].metadata.size`.
 *
 * @param key  replaces the last level's key.
 */
export function levelsPath(levels: readonly Level[], key?: string): string {
  let path = "";
  for (const level of levels) {
    if (level.array !== undefined) path += `[${level.array.length}]`;
    else {
      const name = level === levels.at(-1) && key !== undefined ? key : level.key;
      path += path === "" ? name : `.${name}`;
    }
  }
  return path;
}
