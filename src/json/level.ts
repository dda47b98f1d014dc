/** An array or object that is being read: one of the two. */
export interface Level {
  array: unknown[] | undefined;
  object: Record<string, unknown> | undefined;
  /** Of the member that is read. */
  key: string;
  keys: number;
  /** Within an item's metadata, which has to come back as it was written. */
  isMetadata: boolean;
}

/** Adds the next element, or the value of the member that is read. */
export function put({ array, object, key }: Level, value: unknown): void {
  if (array !== undefined) array.push(value);
  else if (key === "__proto__") {
    const property = { value, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(object, key, property);
  } else object![key] = value;
}

/**
 * Where the next value belongs, as it is spelled on the wire: `items[2].metadata.size`.
 *
 * @param key  takes the place of the last level's key.
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
