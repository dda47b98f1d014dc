import { toast } from "../../components/toasts.js";
import { sentenceOf, server } from "../../server.js";
import { nextByIds } from "./chosen.js";
import { hide, type Shown, showMetadata } from "./feed.js";

/** The tags that people gave; a job that classifies may keep something else in that field. */
export const tagsOf = ({ tags }: Record<string, unknown>): readonly string[] =>
  Array.isArray(tags) && tags.every((tag) => typeof tag === "string") ? tags : [];

/** Adds tags to the field `tags` of each. */
export async function tagItems(
  collection: string,
  items: readonly Shown[],
  added: readonly string[],
): Promise<void> {
  const ids = items.map(({ id }) => id);
  const changes: Change[] = [];
  for (const tag of added) {
    const done = await change(collection, { action: "add", tag, ids });
    if (done === undefined) break;
    changes.push(done);
  }
  if (changes.length === 0) return;
  const found = changes.at(-1)!.found;
  if (found.length > 0) {
    const names = found.length === 1 ? found[0] : `${found.length} items`;
    const tags = changes.map(({ tag }) => tag).join(", ");
    toast(`Tagged ${names} with ${tags}`, ["Undo", () => void undo(collection, changes)]);
  }
  await showStored(collection, found);
}

export async function untagItem(collection: string, item: Shown, tag: string): Promise<void> {
  const done = await change(collection, { action: "remove", tag, ids: [item.id] });
  if (done === undefined || done.found.length === 0) return;
  toast(`${item.id} is not ${tag} any more`, ["Undo", () => void undo(collection, [done])]);
  await showStored(collection, done.found);
}

/** Only where the tag has come or gone by this: others may have had it before, or not. */
async function undo(collection: string, changes: readonly Change[]): Promise<void> {
  for (const { action, tag, changed } of changes)
    await change(collection, { action: action === "add" ? "remove" : "add", tag, ids: changed });
  await showStored(collection, [...new Set(changes.flatMap(({ changed }) => changed))]);
}

interface Change {
  action: "add" | "remove";
  tag: string;
  /** Items that it made a difference to. */
  changed: readonly string[];
  /** Items that are as was wished now. */
  found: readonly string[];
}

/**
 * Changes one tag of items in one step each, so that windows take nothing from each other.
 * @returns undefined if nothing was changed.
 */
async function change(
  collection: string,
  { action, tag, ids }: { action: "add" | "remove"; tag: string; ids: readonly string[] },
): Promise<Change | undefined> {
  try {
    const items = ids.map((id) => ({ id, [action]: { tags: [tag] } }));
    const answer = await server.peek().patchItems(collection, { items });
    const { missing, failed, unchanged_ids = [] } = answer;
    const [first] = failed;
    if (first !== undefined) {
      const others = failed.length === 1 ? "" : `, and ${failed.length - 1} others,`;
      toast(`The tags of ${first.id}${others} were not changed: ${first.error.message}`);
    }
    if (missing.length > 0) {
      hide(new Set(missing));
      const names = missing.length === 1 ? missing[0] : `${missing.length} items`;
      toast(`${names} cannot be tagged: deleted in another window`);
    }
    const others = new Set([...missing, ...failed.map(({ id }) => id)]);
    const found = ids.filter((id) => !others.has(id));
    const same = new Set(unchanged_ids);
    return { action, tag, found, changed: found.filter((id) => !same.has(id)) };
  } catch (error) {
    toast(`The tags were not changed: ${sentenceOf(error)}`);
    return undefined;
  }
}

/** Shows the metadata that items have now, with what other windows have changed. */
async function showStored(collection: string, ids: readonly string[]): Promise<void> {
  const stored = new Map<string, Record<string, unknown>>();
  try {
    for (let from = 0; from < ids.length; ) {
      const { filter, end } = nextByIds(ids, from);
      const list = { filter: JSON.stringify(filter), limit: 1000 };
      const { data } = await server.peek().listItems(collection, list);
      for (const { id, metadata } of data) stored.set(id, metadata);
      from = end;
    }
  } catch (error) {
    toast(`The tags are stored, but cannot be shown: ${sentenceOf(error)}`);
  }
  showMetadata(stored);
}
