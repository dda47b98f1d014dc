import { invalidInput } from "../errors.js";
import type { Scalar } from "./filter.js";
import type { ItemPatch, JsonObject, JsonValue, ListMembers } from "./item.js";
import { mergePatch } from "./merge-patch.js";

/**
 * An item's metadata after a patch: merged or replaced, then without the members to remove and with
 * those to add. `patchedMetadata({tags: ["a"]}, {remove: {tags: ["a"]}, add: {tags: ["b"]}})` is
 * `{tags: ["b"]}`.
 * @throws AppError invalid_input where the item has something else than a list in such a field.
 */
export function patchedMetadata(
  current: JsonObject,
  { metadata = {}, replace, add = {}, remove = {} }: Omit<ItemPatch, "id">,
): JsonObject {
  const merged = replace ? metadata : mergePatch(current, metadata);
  const lessMembers = changed(merged, remove, "remove", (list, gone) => {
    const left = list.filter((one) => !gone.includes(one as Scalar));
    return left.length === list.length ? list : left.length === 0 ? undefined : left;
  });
  return changed(lessMembers, add, "add", (list, more) => [
    ...list,
    ...new Set(more.filter((one) => !list.includes(one))),
  ]);
}

type Change = (list: JsonValue[], members: readonly Scalar[]) => JsonValue[] | undefined;

function changed(target: JsonObject, members: ListMembers, param: string, change: Change) {
  return Object.entries(members).reduce(
    (object, [field, values]) =>
      at(object, field.split("."), { values, change, param: `${param}.${field}` }),
    target,
  );
}

/** With the list at a path changed; undefined takes it away, where there was one. */
function at(
  target: JsonObject,
  [key, ...rest]: readonly string[],
  work: { values: readonly Scalar[]; change: Change; param: string },
): JsonObject {
  // By entries: assigning to `__proto__` would not add a key.
  const entries = new Map(Object.entries(target));
  const old = entries.get(key) ?? undefined;
  if (rest.length > 0) {
    if (old !== undefined && (typeof old !== "object" || Array.isArray(old)))
      throw otherThan("an object", key, work.param);
    const inner = at((old ?? {}) as JsonObject, rest, work);
    // A removal from what is not there makes nothing
    if (old !== undefined || Object.keys(inner).length > 0) entries.set(key, inner);
    return Object.fromEntries(entries);
  }
  if (old !== undefined && !Array.isArray(old)) throw otherThan("a list", key, work.param);
  const list = work.change(old ?? [], work.values);
  if (list !== undefined && (old !== undefined || list.length > 0)) entries.set(key, list);
  else if (list === undefined) entries.delete(key);
  return Object.fromEntries(entries);
}

const otherThan = (expected: string, key: string, param: string) =>
  invalidInput(param, `Expected ${expected} in the item's field "${key}", which has another value`);
