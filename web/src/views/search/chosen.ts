import type { Filter } from "../../../../src/index/filter.js";
import { navigate } from "../../router.js";

/**
 * Items that were chosen on the map, which Search then works in. Some are named in the address, as
 * a filter; of many the address has a key to the ids, which the tab keeps.
 */

/** Characters of a filter by ids in an address: of the page, and of a request, which has 16 KB. */
const maxFilterLength = 3000;
/** Of one condition. */
const maxInValues = 10_000;
const storagePrefix = "crossmodal.chosen.";

const withIds = (ids: readonly string[]): Filter => ({ item: "id", op: "in", value: ids });

/** Opens Search on some items. @throws DOMException where the tab has no room for their ids. */
export function showInSearch(collection: string, ids: readonly string[]): void {
  const filter = JSON.stringify(withIds(ids));
  const params =
    encodeURIComponent(filter).length <= maxFilterLength
      ? { filter }
      : { chosen: keep({ collection, ids }) };
  navigate("search", [collection], { params });
}

interface Chosen {
  collection: string;
  ids: readonly string[];
}

function keep(chosen: Chosen): string {
  const key = Date.now().toString(36);
  const value = JSON.stringify(chosen);
  try {
    sessionStorage.setItem(storagePrefix + key, value);
  } catch {
    // Full: the newest matters most
    for (const name of Object.keys(sessionStorage))
      if (name.startsWith(storagePrefix)) sessionStorage.removeItem(name);
    sessionStorage.setItem(storagePrefix + key, value);
  }
  return key;
}

let last: { key: string; chosen: Chosen } | undefined;

/** The ids that a key of the address stands for; undefined where this tab has not got them. */
export function chosenIds(collection: string, key: string): readonly string[] | undefined {
  if (last?.key !== key) {
    const stored = sessionStorage.getItem(storagePrefix + key);
    if (stored === null) return undefined;
    last = { key, chosen: JSON.parse(stored) };
  }
  return last!.chosen.collection === collection ? last!.chosen.ids : undefined;
}

/** For the body of a request, which may have as many as there are. */
export function filterByIds(ids: readonly string[]): Filter {
  const parts: Filter[] = [];
  for (let from = 0; from < ids.length; from += maxInValues)
    parts.push(withIds(ids.slice(from, from + maxInValues)));
  return parts.length === 1 ? parts[0] : { or: parts };
}

/** For the address of a request: as many ids from `from` on as have room. */
export function nextByIds(ids: readonly string[], from: number): { filter: Filter; end: number } {
  let end = from;
  for (let length = 0; end < ids.length && end - from < 1000; end++) {
    length += encodeURIComponent(JSON.stringify(ids[end])).length + 3; // and a comma
    if (length > maxFilterLength && end > from) break;
  }
  return { filter: withIds(ids.slice(from, end)), end };
}
