/** Items that are about to be deleted: no list and no search shows them. */
const hidden = new Set<string>();

const keyOf = (collection: string, id: string) => `${collection}/${id}`;

export function addHidden(collection: string, ids: readonly string[]): void {
  for (const id of ids) hidden.add(keyOf(collection, id));
}

/** They are deleted now, or to be seen again in the next list. */
export function forgetHidden(collection: string, ids: readonly string[]): void {
  for (const id of ids) hidden.delete(keyOf(collection, id));
}

export function withoutHidden<T extends { id: string }>(
  collection: string,
  items: readonly T[],
): T[] {
  return items.filter(({ id }) => !hidden.has(keyOf(collection, id)));
}
