import { type Command, Option } from "commander";
import { eventTables } from "../tags/event-tables.js";
import { soundEvents } from "../tags/sound-events.js";
import type { ZeroShotAnswer } from "../wire/zero-shot.js";
import { counted } from "./counted.js";
import { eachInput } from "./each-input.js";
import { embedInputs } from "./embed-inputs.js";
import { addSelectionFlags } from "./item-selection.js";
import { addLabelFlags, checkLabelFlags, type LabelFlags, labelFields } from "./label-flags.js";
import { onTarget } from "./on-target.js";
import { print } from "./output.js";
import { printWarnings } from "./print-warnings.js";
import { printable } from "./table.js";
import { tagCollection } from "./tag-collection.js";
import { type TagOutputs, writeClips, writeEvents, writeSidecar } from "./tag-outputs.js";
import { CommandError, type Target } from "./target.js";
import { followLinksFlag } from "./walk-files.js";

/** `crossmodal tag`: labels of pictures and sounds into files that other programs read. */
export function tagCommand(program: Command): void {
  const tag = program
    .command("tag")
    .description("write labels beside pictures and sounds: XMP sidecars, tables of sound events")
    .argument("[paths...]", "pictures, sounds and folders of them")
    .option("--recursive", "also look into subfolders")
    .option(...followLinksFlag);
  addLabelFlags(tag.optionsGroup("Which labels:"));
  tag
    .optionsGroup("Or the tags that classifying a collection has written:")
    .option("--collection <name>", "tags of its items, beside the files they were made from")
    .option("--field <name>", "metadata field of the tags [tags]");
  addSelectionFlags(tag);
  tag
    .optionsGroup("Output:")
    .option(
      "--xmp",
      "NAME.xmp beside each file, with confidence; what other programs wrote there is kept",
    )
    .addOption(
      new Option("--events <form>", "tables of the events of a sound; may be repeated")
        .choices(Object.keys(eventTables))
        .argParser((form, list: string[] = []) => [...list, form]),
    )
    .option("--clips <folder>", "the events of sounds as WAV files, in a folder for each label")
    .option("--out <folder>", "write the tables of events there, not beside the sounds")
    .option("--force", "replace existing tables and clips");
  onTarget(tag, { models: true, check }, async (target, flags, paths: string[]) => {
    if (flags.collection !== undefined) return tagCollection(target, flags.collection, flags);
    await tagFiles(target, paths, flags as Flags);
  });
}

type Flags = LabelFlags &
  TagOutputs & { recursive?: boolean; followLinks?: boolean; json?: boolean };

function check(flags: Flags & { collection?: string }, paths: readonly string[]): void {
  const { collection, xmp, events, clips, out, force } = flags;
  const isOut = xmp || events !== undefined || clips !== undefined;
  if (!isOut) throw wrong("Nothing to write: give --xmp, --events or --clips");
  if (collection !== undefined) {
    if (paths.length > 0) throw wrong("Expected either files or --collection");
    if (!xmp || events !== undefined || clips !== undefined)
      throw wrong("The tags of a collection are written as --xmp");
    return;
  }
  if (paths.length === 0) throw wrong("Nothing to tag: give files, folders or --collection");
  checkLabelFlags(flags);
  for (const form of events ?? [])
    if (!(form in eventTables))
      throw wrong(`--events: expected ${Object.keys(eventTables).join(", ")}`);
  if (events === undefined && clips === undefined && (out !== undefined || force))
    throw wrong(`--${force ? "force" : "out"} is for --events and --clips`);
  const bounds = [flags.threshold, flags.labelSet, flags.reject, flags.topK];
  if (flags.multiLabel && bounds.every((bound) => bound === undefined))
    throw wrong("--multi-label needs --threshold, --reject, --top-k or a --label-set");
}

async function tagFiles(target: Target, paths: readonly string[], flags: Flags): Promise<void> {
  const { multiLabel, recursive, followLinks, json } = flags;
  const { inputs, leftOut } = await embedInputs(paths, { recursive, followLinks }, undefined);
  if (leftOut !== undefined) console.error(`left out: ${leftOut}`);
  const files = inputs.flatMap((input) => ("read" in input ? [input] : []));
  if (files.length === 0) throw wrong("Found no pictures or sounds");
  const fields = await labelFields({ ...flags, topK: flags.topK ?? (multiLabel ? undefined : 1) });
  const wantsEvents = flags.events !== undefined || flags.clips !== undefined;
  await eachInput(
    files.map(({ name }) => name),
    {
      activity: "tagging",
      ask: async (position) => {
        const { modality, base64 } = await files[position].read();
        const timeline = modality === "audio" && wantsEvents ? true : undefined;
        const body = { [modality]: base64, ...fields, timeline };
        return { isSound: modality === "audio", answer: await target.zeroShot(body) };
      },
      report: async ({ isSound, answer }, position) => {
        const { name, relative, within } = files[position];
        const file = { path: name, relative, within };
        const labels = fitting(answer);
        const events = soundEvents(answer.timeline ?? [], { multiLabel });
        const written: string[] = [];
        if (flags.xmp) written.push(...(await writeSidecar(name, { labels, by: madeBy(answer) })));
        if (isSound && flags.events) written.push(...(await writeEvents(file, events, flags)));
        if (isSound && flags.clips) written.push(...(await writeClips(file, events, flags)));
        const tags = labels.map((one) => ({ label: one.label, score: one.confidence }));
        if (json) await print(JSON.stringify({ file: name, tags, events, written }));
        else await print(lineOf(name, labels, isSound && wantsEvents ? events.length : undefined));
        printWarnings(answer.warnings, name);
      },
    },
  );
}

function fitting({ scores, known }: ZeroShotAnswer) {
  return scores
    .filter((one) => known !== false && one.known !== false)
    .map(({ label, score }) => ({ label, confidence: score }));
}

function madeBy({ space, head }: ZeroShotAnswer): string {
  return head === undefined ? space : `${space}, head ${head.name} version ${head.version}`;
}

function lineOf(
  name: string,
  labels: readonly { label: string; confidence: number }[],
  events: number | undefined,
): string {
  const tags = labels.map(({ label, confidence }) => `${label} ${confidence.toFixed(3)}`);
  const count = events === undefined ? "" : `; ${counted(events, "event")}`;
  return printable(`${name}: ${tags.join(", ") || "nothing fits"}${count}`);
}

const wrong = (message: string) => new CommandError(message, { code: "invalid_input" });
