import { statSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import type { CollectionAnswer } from "../wire/collections.js";
import { addFiles, countFiles, type FileStatus } from "./add-files.js";
import { findCollection } from "./collection.js";
import { addCreateFlags } from "./collections.js";
import { type Interruption, Tally, untilInterrupted } from "./item-tally.js";
import { withFiles } from "./lines-with-files.js";
import { readMetadataFile } from "./metadata-file.js";
import { wholeLines } from "./ndjson.js";
import { onTarget } from "./on-target.js";
import { configOf, parseJsonObject, parseList } from "./options.js";
import { print } from "./output.js";
import { progressBar } from "./progress.js";
import { pruneGone } from "./prune.js";
import { sendItems } from "./send-items.js";
import { stopOnSignal } from "./stop-on-signal.js";
import { printable } from "./table.js";
import { CommandError, type Target } from "./target.js";
import { followLinksFlag } from "./walk-files.js";

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
    .option("--recursive", "also look into subfolders")
    .option(...followLinksFlag)
    .option("--id-prefix <text>", "prefix of each id, before the file's path in its folder", "")
    .option("--metadata <json>", "metadata of every file, e.g. '{\"year\": 2021}'", parseJsonObject)
    .option(
      "--metadata-file <file>",
      'metadata for single files: a CSV with a column "file", or JSON lines with "file"',
    )
    .option("--sidecar", "take metadata from cat.jpg.json or cat.json beside cat.jpg")
    .option(
      "--modality <a,b>",
      "what to take from folders: image, audio or both [what the model embeds]",
      parseModalities,
    )
    .option("--prune", "remove items of these folders whose files are gone")
    .option("--dry-run", "show what would be stored, replaced and left out, and change nothing")
    .option("--verbose", "print a line for every file, also for those left out, with the reason")
    .option("--create", "create the collection if it does not exist");
  addCreateFlags(command.optionsGroup("With --create:"));
  const check = (flags: Flags, _: string, paths: string[]) => {
    if (paths.includes("-") && paths.length > 1) {
      const message = "Expected either files or - for standard input";
      throw new CommandError(message, { code: "invalid_input" });
    }
    refuseIdleOptions(flags, paths);
  };
  onTarget(
    command,
    { models: true, options: ["maxBodyBytes"], check },
    async (target, flags, name: string, paths: string[]) => {
      const create = flags.create && !flags.dryRun ? flags : undefined;
      const collection = await findCollection(target, name, create);
      if (flags.create) refuseOthers(collection, flags);
      const stop = stopOnSignal(
        "stopping once running items are stored; press Ctrl-C again to stop at once",
      );
      try {
        if (paths[0] === "-") await addStdin(target, name, stop.signal);
        else await addPaths(target, collection, paths, flags, stop.signal);
      } finally {
        stop.release();
      }
    },
  );
}

async function addStdin(target: Target, name: string, signal: AbortSignal): Promise<void> {
  const tally = new Tally(name);
  const lines = withFiles(wholeLines(process.stdin));
  let interruption: Interruption | undefined;
  try {
    interruption = await untilInterrupted(async () => {
      for await (const status of sendItems(target, name, lines, { signal })) {
        tally.count(status);
        await print(JSON.stringify(status));
      }
    });
  } finally {
    process.stdin.destroy(); // or a stopped command would wait for it
    console.error(tally.summary());
  }
  tally.conclude({ stopped: signal.aborted, interruption });
}

async function addPaths(
  target: Target,
  collection: CollectionAnswer,
  paths: readonly string[],
  // biome-ignore lint/suspicious/noExplicitAny: commander's options
  flags: Record<string, any>,
  signal: AbortSignal,
): Promise<void> {
  const { name } = collection;
  const walk = { recursive: flags.recursive === true, followLinks: flags.followLinks === true };
  const ofModel = flags.modality === undefined && (await modalitiesOf(target, collection));
  const modalities = flags.modality ?? (ofModel || undefined);
  const whyNotOthers = ofModel
    ? `${collection.model} does not embed them; --modality image,audio adds them over a bridge`
    : "--modality";
  const table = flags.metadataFile && (await readMetadataFile(flags.metadataFile));
  const tally = new Tally(name);
  const bar = progressBar(undefined, `adding to ${name}`, { rate: true });
  const ended = new AbortController();
  // Files are counted while they are added; until then the bar cannot show the remaining time.
  const counting = countFiles(paths, walk, AbortSignal.any([signal, ended.signal]));
  counting.then(bar.setTotal).catch(() => undefined);
  const reportFile = async (status: FileStatus) => {
    tally.count(status);
    if (flags.json) {
      if (flags.verbose || status.status !== "left_out") await print(JSON.stringify(status));
    } else if (flags.verbose) await print(lineOf(status));
  };
  const send = () =>
    addFiles(target, name, paths, {
      ...walk,
      idPrefix: flags.idPrefix,
      metadata: flags.metadata,
      metadataOf: table?.of,
      sidecars: flags.sidecar === true,
      modalities,
      whyNotOthers,
      dryRun: flags.dryRun === true,
      maxBytes: configOf(flags).maxBodyBytes - formBytes,
      signal,
      onStatus: (status: FileStatus) => {
        bar.step();
        return reportFile(status);
      },
    });
  let kept: string[] = [];
  const prune = async () => {
    if (!flags.prune || signal.aborted) return;
    const { idPrefix, dryRun = false } = flags;
    const { recursive } = walk;
    const onStatus = (status: FileStatus) => reportFile(status);
    kept = await pruneGone(target, name, paths, { recursive, idPrefix, dryRun, signal, onStatus });
  };
  let interruption: Interruption | undefined;
  try {
    interruption = await untilInterrupted(() => send().then(prune));
  } finally {
    ended.abort();
    bar.stop();
    const summary = `${flags.dryRun ? "dry run, nothing is changed: " : ""}${tally.summary()}`;
    if (flags.json) console.error(summary);
    else console.log(summary);
    for (const note of table?.notes() ?? []) console.error(note);
  }
  tally.conclude({ stopped: signal.aborted, interruption, further: kept });
}

function lineOf(file: FileStatus): string {
  const { path, status } = file;
  const word = status === "stored" && file.replaced ? "replaced" : status.replace("_", " ");
  const reason =
    file.status === "failed"
      ? file.error.message
      : file.status === "left_out"
        ? [file.what, file.why].filter((part) => part !== undefined).join(", ")
        : undefined;
  return printable(`${word.padEnd(9)} ${path}${reason === undefined ? "" : `  (${reason})`}`);
}

/** `image,audio` -> ["image", "audio"]. */
function parseModalities(text: string): string[] {
  const modalities = parseList(text);
  if (modalities.every((one) => one === "image" || one === "audio")) return modalities;
  throw new InvalidArgumentError("Expected image, audio or image,audio.");
}

// biome-ignore lint/suspicious/noExplicitAny: commander's options
type Flags = Record<string, any>;

/** Options without effect are most likely a mistake. */
function refuseIdleOptions(flags: Flags, paths: readonly string[]): void {
  const refuse = (names: readonly string[], why: string) => {
    const idle = names.find((flag) => {
      const value = flags[flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
      return value !== undefined && value !== false && value !== "";
    });
    if (idle !== undefined) throw new CommandError(`--${idle} ${why}`, { code: "invalid_input" });
  };
  if (!flags.create)
    refuse(["head", "space", "dimensions", "fields"], "is for a new collection: add --create");
  if (!flags.create && flags.model !== undefined)
    refuse(["model"], "is for a new collection: add --create; items use their collection's");
  if (paths.every((path) => statSync(path, { throwIfNoEntry: false })?.isFile()))
    refuse(["prune"], "is for folders, but none was given");
  if (paths[0] === "-")
    refuse(
      [
        ...["recursive", "follow-links", "id-prefix", "metadata", "metadata-file", "sidecar"],
        ...["modality", "prune", "dry-run", "verbose"],
      ],
      "is for files, not for items from standard input",
    );
}

/** An existing collection keeps its settings: options that differ would have no effect. */
function refuseOthers(collection: CollectionAnswer, flags: Flags): void {
  const { name } = collection;
  const facts: Record<string, [requested: unknown, actual: unknown]> = {
    model: [flags.model, collection.model],
    head: [flags.head, collection.head?.name],
    space: [flags.space, collection.space],
    dimensions: [flags.dimensions, collection.dimensions],
    fields: [flags.fields?.join(), collection.fields.join()],
  };
  for (const [flag, [requested, actual]] of Object.entries(facts)) {
    if (requested === undefined || requested === actual) continue;
    const message =
      `--${flag} ${requested}: the collection "${name}" ` +
      `already exists, with ${actual || "none"}`;
    throw new CommandError(message, { code: "invalid_input" });
  }
  if (flags.keepMedia === true && !collection.keep_media)
    throw new CommandError(`--keep-media: the collection "${name}" keeps no media`, {
      code: "invalid_input",
    });
  if (flags.previews === false && collection.previews)
    throw new CommandError(`--no-previews: the collection "${name}" keeps previews`, {
      code: "invalid_input",
    });
}

/** Room for the rest of a multipart body. */
const formBytes = 2 ** 20;

/** The modalities that the collection's model embeds; undefined when it is not loaded. */
async function modalitiesOf(
  target: Target,
  { model }: CollectionAnswer,
): Promise<string[] | undefined> {
  const { data } = await target.listModels();
  return data.find(({ id }) => id === model)?.modalities;
}
