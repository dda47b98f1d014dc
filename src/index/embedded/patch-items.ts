import type { Remote } from "../../workers/remote.js";
import { checkPatch } from "../check-item.js";
import type { Filter } from "../filter.js";
import type { ItemPatch, ItemPatched } from "../item.js";
import { addPatched, nothingPatched, type PatchedWhere } from "../patched-where.js";
import type { StoreCore } from "./store-core.js";

/** Patches sent to the thread at a time: without their vectors items are small. */
const patchesPerCall = 1000;

/** @returns one status per patch, in order. @throws AppError invalid_input. */
export async function patchItems(
  core: Remote<StoreCore>,
  collection: string,
  patches: readonly ItemPatch[],
): Promise<ItemPatched[]> {
  for (const patch of patches) checkPatch(patch);
  const patched: ItemPatched[] = [];
  for (let from = 0; from < patches.length; from += patchesPerCall) {
    const batch = patches.slice(from, from + patchesPerCall);
    const statuses = await core.patch(collection, batch);
    for (const [i, status] of statuses.entries()) {
      const { id } = batch[i];
      patched.push(
        typeof status === "string" ? { id, status } : { id, status: "failed", error: status },
      );
    }
  }
  return patched;
}

/** Patches every item that matches a checked filter. @throws AppError invalid_input. */
export async function patchWhere(
  core: Remote<StoreCore>,
  collection: string,
  filter: Filter,
  patch: Omit<ItemPatch, "id">,
): Promise<PatchedWhere> {
  checkPatch(patch);
  const outcome = nothingPatched();
  for (let after = 0; ; ) {
    const found = await core.idsAfter(collection, filter, { after, limit: patchesPerCall });
    const patches = found.map(({ id }) => ({ id, ...patch }));
    addPatched(outcome, await patchItems(core, collection, patches));
    const last = found.at(-1);
    if (last === undefined || found.length < patchesPerCall) break;
    after = last.row;
  }
  return outcome;
}
