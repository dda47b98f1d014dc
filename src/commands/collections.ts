import type { Command } from "commander";
import type { CollectionAnswer } from "../wire/collections.js";
import { classifyCollectionCommand } from "./classify-collection.js";
import { createCollection } from "./collection.js";
import { moveCommand } from "./move.js";
import { onTarget } from "./on-target.js";
import { parseList, parseNumber } from "./options.js";
import { print } from "./output.js";
import { printable, table } from "./table.js";
import { CommandError } from "./target.js";

/** `crossmodal collections`: list, create and delete. */
export function collectionsCommand(program: Command): void {
  const collections = program
    .command("collections")
    .description("list, create and delete collections");

  const list = collections
    .command("list", { isDefault: true })
    .description("all collections and their sizes (the default)");
  const without = async (dataDir: string, { json }: { json?: boolean }) => {
    const how = "make one with: crossmodal collections create NAME";
    if (json !== true) await print(`no collections in "${dataDir}"; ${how}`);
  };
  onTarget(list, { models: false, stored: without }, async (target, flags) => {
    const { data } = await target.listCollections();
    if (flags.json) for (const collection of data) await print(JSON.stringify(collection));
    else if (data.length === 0)
      await print("no collections; create one with: crossmodal collections create NAME");
    else {
      const rows = data.map(({ name, count, model, space, dimensions, index }) => [
        name,
        count,
        model ?? space,
        dimensions,
        index.state,
      ]);
      for (const line of table(["name", "items", "model", "dimensions", "index"], rows))
        await print(line);
    }
  });

  const create = collections
    .command("create")
    .description("create a collection for one model's embeddings, or for vectors of your own")
    .argument("<name>", 'letters, digits, "_", "-" and "."');
  onTarget(addCreateFlags(create), { models: true }, async (target, flags, name: string) => {
    const collection = await createCollection(target, name, flags);
    await print(flags.json ? JSON.stringify(collection) : `created ${name}: ${collection.space}`);
  });

  const info = collections.command("info").description("one collection in full").argument("<name>");
  onTarget(info, { models: false, stored: true }, async (target, flags, name: string) => {
    const collection = await target.getCollection(name);
    if (flags.json) await print(JSON.stringify(collection));
    else for (const line of describe(collection)) await print(line);
  });

  moveCommand(collections);
  classifyCollectionCommand(collections);

  const remove = collections
    .command("delete")
    .description("delete a collection with all its items")
    .argument("<name>")
    .option("--yes", "really do it");
  onTarget(remove, { models: false, stored: true }, async (target, flags, name: string) => {
    const { count } = await target.getCollection(name);
    if (!flags.yes) throw new CommandError(`"${name}" holds ${count} items; delete it with --yes`);
    await target.deleteCollection(name);
    await print(
      flags.json
        ? JSON.stringify({ name, deleted: true, count })
        : `deleted ${name} with ${count} items`,
    );
  });
}

/** Flags that say what a new collection is made of. */
export function addCreateFlags(command: Command): Command {
  return command
    .option("--model <id>", "model whose space the items are in")
    .option("--head <name>", "embed through the active version of this head of the model")
    .option("--space <name>", "for vectors of your own: the name of their space")
    .option("--dimensions <n>", "for vectors of your own: numbers in each", parseNumber)
    .option("--no-previews", "do not store thumbnails and waveforms")
    .option("--keep-media", "store the pictures and sounds themselves")
    .option(
      "--fields <a,b>",
      "metadata fields that filters use often; each gets an index",
      parseList,
    );
}

function describe({
  name,
  model,
  space,
  dimensions,
  fields,
  created_at,
  count,
  ...rest
}: CollectionAnswer): string[] {
  const modalities = Object.entries(rest.count_by_modality).map(
    ([modality, number]) => `${number} ${modality}`,
  );
  const { engine, state, indexed } = rest.index;
  const facts: [string, string][] = [
    ["name", name],
    ["model", model ?? "none: vectors of your own"],
    ...(rest.head
      ? [["head", `${rest.head.name}, version ${rest.head.version}`] as [string, string]]
      : []),
    ["space", space],
    ["dimensions", String(dimensions)],
    ["items", `${count}${modalities.length > 0 ? ` (${modalities.join(", ")})` : ""}`],
    ["indexed fields", fields.join(", ") || "none"],
    ["keeps media", rest.keep_media ? "yes" : "no"],
    ["created", created_at],
    [
      "index",
      state === "none"
        ? "none: every item is compared"
        : `${engine}, ${state}, ${indexed} items in the graph`,
    ],
  ];
  return facts.map(([key, value]) => `${key.padEnd(15)} ${printable(value)}`);
}
