import type { Command } from "commander";
import type { CollectionAnswer } from "../wire/collections.js";
import { addFiles, countFiles, type FileStatus } from "./add-files.js";
import { findCollection } from "./collection.js";
import { addCreateFlags } from "./collections.js";
import { type BreakOff, Tally, untilBroken } from "./item-tally.js";
import { wholeLines } from "./ndjson.js";
import { onTarget } from "./on-target.js";
import { configOf, parseJsonObject, parseList } from "./options.js";
import { print } from "./output.js";
import { progressBar } from "./progress.js";
import { sendItems } from "./send-items.js";
import { stopOnSignal } from "./stop-on-signal.js";
import { CommandError, type Target } from "./target.js";

/**
 * `crossmodal add`: pictures and sounds from files and folders, or items as NDJSON from standard
 * input.
 */
export function addCommand(program: Command): void {
  const command = program
    .command("add")
    .description("add pictures and sounds, or items as NDJSON, to a collection")
    .argument("<collection>", "its name")
    .argument("<paths...>", "files and folders; - reads items as NDJSON from standard input")
    .option("--recursive", "also look into the folders inside a folder")
    .option("--id-prefix <text>", "goes before each file's path in its folder to make its id", "")
    .option("--metadata <json>", "metadata of every file, e.g. '{\"year\": 2021}'", parseJsonObject)
    .option("--sidecar", "take metadata from cat.jpg.json or cat.json beside cat.jpg")
    .option(
      "--modality <a,b>",
      "what to take from folders: image, audio or both [what the model embeds]",
      parseList,
    )
    .option("--create", "make the collection when it is missing");
  addCreateFlags(command.optionsGroup("With --create:"));
  onTarget(
    command,
    { models: true, options: ["maxBodyBytes"] },
    async (target, given, name: string, paths: string[]) => {
      if (paths.includes("-") && paths.length > 1) {
        throw new CommandError("- stands alone: give either files or standard input", {
          code: "invalid_input",
        });
      }
      const collection = await findCollection(target, name, given.create ? given : undefined);
      const stop = stopOnSignal(
        "stopping once what is under way is stored; Ctrl-C again ends at once",
      );
      try {
        if (paths[0] === "-") await addStdin(target, name, stop.signal);
        else await addPaths(target, collection, paths, given, stop.signal);
      } finally {
        stop.release();
      }
    },
  );
}

async function addStdin(target: Target, name: string, signal: AbortSignal): Promise<void> {
  const tally = new Tally(name);
  let brokeOff: BreakOff | undefined;
  try {
    brokeOff = await untilBroken(async () => {
      for await (const status of sendItems(target, name, wholeLines(process.stdin), { signal })) {
        tally.count(status);
        await print(JSON.stringify(status));
      }
    });
  } finally {
    process.stdin.destroy(); // or a stopped command would wait for its end
    console.error(tally.summary());
  }
  tally.conclude({ stopped: signal.aborted, brokeOff });
}

async function addPaths(
  target: Target,
  collection: CollectionAnswer,
  paths: readonly string[],
  // biome-ignore lint/suspicious/noExplicitAny: commander's options
  given: Record<string, any>,
  signal: AbortSignal,
): Promise<void> {
  const { name } = collection;
  const recursive = given.recursive === true;
  const modalities = given.modality ?? (await modalitiesOf(target, collection));
  const tally = new Tally(name);
  const bar = progressBar(undefined, `adding to ${name}`, { rate: true });
  const ended = new AbortController();
  // Counting goes on beside the adding; until it ends the bar does not know how much is left.
  const counting = countFiles(paths, recursive, AbortSignal.any([signal, ended.signal]));
  counting.then(bar.setTotal).catch(() => undefined);
  const send = () =>
    addFiles(target, name, paths, {
      recursive,
      idPrefix: given.idPrefix,
      metadata: given.metadata ?? {},
      sidecars: given.sidecar === true,
      modalities,
      maxBytes: configOf(given).maxBodyBytes - formBytes,
      signal,
      onStatus: async (status: FileStatus) => {
        bar.step();
        tally.count(status);
        if (given.json && status.status !== "left_out") await print(JSON.stringify(status));
      },
    });
  let brokeOff: BreakOff | undefined;
  try {
    brokeOff = await untilBroken(send);
  } finally {
    ended.abort();
    bar.stop();
    if (given.json) console.error(tally.summary());
    else console.log(tally.summary());
  }
  tally.conclude({ stopped: signal.aborted, brokeOff });
}

/** What the rest of a multipart body may take beside the file. */
const formBytes = 2 ** 20;

/** What the collection's own model embeds; undefined when it has none here. */
async function modalitiesOf(
  target: Target,
  { model }: CollectionAnswer,
): Promise<string[] | undefined> {
  const { data } = await target.listModels();
  return data.find(({ id }) => id === model)?.modalities;
}
