import type { Command } from "commander";
import { ApiError } from "../client/errors.js";
import type { ItemAnswer, ItemsPatched } from "../wire/items.js";
import { confirm } from "./confirm.js";
import { addSelectionFlags, matchingItems, selectionOf } from "./item-selection.js";
import { onTarget } from "./on-target.js";
import { parseCount, parseJsonObject } from "./options.js";
import { print } from "./output.js";
import { printable, table } from "./table.js";
import { CommandError, type Target } from "./target.js";

/** `crossmodal items`: shows, changes and deletes single items, or all that a filter finds. */
export function itemsCommand(program: Command): void {
  const items = program
    .command("items")
    .description("list, show, change and delete items of a collection");
  const stored = { models: false, stored: true } as const;

  const list = items
    .command("list")
    .description("the items of a collection, oldest first")
    .argument("<collection>")
    .option("--limit <n>", "only the first so many", parseCount);
  onTarget(addSelectionFlags(list), stored, async (target, flags, name: string) => {
    const { limit } = flags;
    await printItems(matchingItems(target, name, selectionOf(flags), { limit }), flags.json);
  });

  const show = items
    .command("show")
    .description("everything stored about some items")
    .argument("<collection>")
    .argument("<ids...>")
    .option("--embedding", "their embeddings too");
  onTarget(show, stored, async (target, flags, name: string, ids: string[]) => {
    const missing: string[] = [];
    for (const id of ids) {
      const query = flags.embedding ? { include: "embedding" as const } : {};
      const item = await target.getItem(name, id, query).catch(async (error) => {
        if (!(error instanceof ApiError) || error.code !== "not_found") throw error;
        await target.getCollection(name); // or it is the collection that is missing
        missing.push(id);
      });
      if (item === undefined) continue;
      if (flags.json) await print(JSON.stringify(item));
      else for (const line of factsOf(item)) await print(line);
    }
    refuseMissing(missing);
  });

  const set = items
    .command("set")
    .description("change the metadata of items given by id or found by a filter")
    .argument("<collection>")
    .argument("[ids...]")
    .requiredOption(
      "--metadata <json>",
      "merged into the existing metadata; null removes a key",
      parseJsonObject,
    )
    .option("--replace", "replace the existing metadata instead")
    .option("--dry-run", "list the items, without changing anything");
  onTarget(addSelectionFlags(set), stored, async (target, flags, name: string, ids: string[]) => {
    const filter = chosen(flags, ids);
    if (flags.dryRun) return dryRun(target, name, { filter, json: flags.json });
    const { metadata, replace } = flags;
    const byIds = ids.length > 0 && !usesFlags(flags);
    const selection = byIds ? { ids } : { filter };
    const answer = await target.patchItems(name, { ...selection, metadata, replace });
    if (flags.json) await print(JSON.stringify(answer));
    else await print(`${name}: ${answer.updated} changed, ${answer.unchanged} unchanged`);
    refuseFailed(answer);
  });

  const remove = items
    .command("delete")
    .description("delete items given by id or found by a filter")
    .argument("<collection>")
    .argument("[ids...]")
    .option("--yes", "do not ask")
    .option("--dry-run", "list the items, without deleting anything");
  onTarget(
    addSelectionFlags(remove),
    stored,
    async (target, flags, name: string, ids: string[]) => {
      const filter = chosen(flags, ids);
      if (flags.dryRun) return dryRun(target, name, { filter, json: flags.json });
      const found: string[] = [];
      for await (const { id } of matchingItems(target, name, filter)) found.push(id);
      if (found.length > 0) await confirm(`Delete ${count(found.length)} of ${name}`, flags);
      let deleted = 0;
      // By id: exactly what was counted, and nothing added since
      for (let at = 0; at < found.length; at += idsPerRequest) {
        const group = found.slice(at, at + idsPerRequest);
        deleted += (await target.deleteItems(name, { ids: group })).deleted;
      }
      if (flags.json) await print(JSON.stringify({ name, deleted }));
      else await print(`deleted ${count(deleted)} of ${name}`);
      if (!usesFlags(flags)) refuseMissing(ids.filter((id) => !found.includes(id)));
    },
  );
}

const idsPerRequest = 10_000;
const count = (n: number) => (n === 1 ? "1 item" : `${n} items`);

type Flags = Parameters<typeof selectionOf>[0];
const usesFlags = (flags: Flags) => selectionOf(flags) !== undefined;

function chosen(flags: Flags, ids: readonly string[]) {
  const filter = selectionOf(flags, ids);
  if (filter !== undefined) return filter;
  const message = "Expected ids, --filter, --id-prefix, --source-prefix or --modality";
  throw new CommandError(message, { code: "invalid_input" });
}

async function dryRun(
  target: Target,
  name: string,
  { filter, json }: { filter: ReturnType<typeof chosen>; json?: boolean },
): Promise<void> {
  const found = await printItems(matchingItems(target, name, filter), json);
  console.error(`dry run, nothing is changed: ${count(found)} of ${name}`);
}

/** Rows are aligned some hundred together: a collection may hold millions. */
async function printItems(items: AsyncIterable<ItemAnswer>, json?: boolean): Promise<number> {
  const headings = ["id", "modality", "added", "metadata or source"];
  let rows: string[][] = [];
  let found = 0;
  const flush = async () => {
    const lines = table(headings, rows);
    for (const line of found > rows.length ? lines.slice(1) : lines) await print(line);
    rows = [];
  };
  for await (const item of items) {
    found++;
    if (json) await print(JSON.stringify(item));
    else if (rows.push(rowOf(item)) >= 500) await flush();
  }
  if (rows.length > 0) await flush();
  else if (found === 0 && !json) await print("no items");
  return found;
}

function rowOf({ id, modality, added_at, metadata, source, text }: ItemAnswer): string[] {
  const summary =
    Object.keys(metadata).length > 0 ? JSON.stringify(metadata) : (source ?? text ?? "");
  return [id, modality, added_at?.slice(0, 19).replace("T", " ") ?? "", summary];
}

function factsOf({ metadata, embedding, ...facts }: ItemAnswer): string[] {
  const lines = Object.entries(facts).map(([name, value]) => [name, String(value)]);
  lines.push(["metadata", JSON.stringify(metadata)]);
  if (embedding !== undefined) lines.push(["embedding", embedding.join(" ")]);
  return lines.map(([name, value]) => `${name.padEnd(13)} ${printable(value)}`);
}

function refuseMissing(ids: readonly string[]): void {
  if (ids.length === 0) return;
  const lines = ids.map((id) => printable(`There is no item "${id}"`));
  throw new CommandError(lines.join("\ncrossmodal: "), { code: "not_found" });
}

function refuseFailed({ missing, failed, more_failed = 0 }: ItemsPatched): void {
  if (failed.length > 0) {
    const lines = failed.map(({ id, error }) => printable(`${id}: ${error.message}`));
    if (more_failed > 0) lines.push(`${count(more_failed)} more failed`);
    throw new CommandError(lines.join("\ncrossmodal: "));
  }
  refuseMissing(missing);
}
