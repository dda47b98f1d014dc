import { writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { lossNames } from "../training/losses/loss.js";
import type { TrainResult } from "../wire/heads.js";
import type { JobAnswer } from "../wire/jobs.js";
import { followToSuccess } from "./follow-job.js";
import { onTarget } from "./on-target.js";
import { isObject, parseList, parseNumber } from "./options.js";
import { print } from "./output.js";
import { printWarnings } from "./print-warnings.js";
import { printable, table } from "./table.js";
import { CommandError, type Target } from "./target.js";
import { type MaterialFlags, materialOf } from "./train-material.js";
import { followLinksFlag } from "./walk-files.js";

/**
 * `crossmodal train`: trains a head, cache or probe, with a progress bar; the same job as over
 * HTTP.
 */
export function trainCommand(program: Command): void {
  const train = program
    .command("train")
    .description("train a head on pairs, or make a few-shot adapter from labelled items")
    .option("--model <id>", "model whose embeddings to train on")
    .option("--name <name>", "name of the head; if it exists, it gets a new version")
    .addOption(
      new Option("--kind <kind>", "projection, cache or probe")
        .choices(["projection", "cache", "probe"])
        .default("projection"),
    )
    .optionsGroup("Training data:")
    .option(
      "--pairs <file>",
      "JSONL: {image|audio|text: path or text, …, label?} or {a, b: numbers} a line",
    )
    .option("--files <folder|csv>", "a folder for each label, or a CSV: file,label,group,split")
    .option(...followLinksFlag)
    .option("--group-by <pattern>", "of --files: one group stays on one side of the split")
    .option("--a <file>", ".npy of side a, in pairs with --b")
    .option("--b <file>", ".npy of side b")
    .option("--modalities <a,b>", "modalities of the two sides", parseList)
    .option("--labels <file>", "one label per line, or a JSON array")
    .option("--third <file>", ".npy of a third tower (three-towers)")
    .option("--features <file>", ".npy of continuous features (expclr)")
    .option("--probe-a <file>", ".npy whose retrieval must be kept, side a")
    .option("--probe-b <file>", "and side b")
    .option("--collection <name>", "items of a collection")
    .option("--by <field>", "metadata field whose equal values belong together")
    .optionsGroup("How:")
    .option("--head <kind>", 'locked, linear, mlp, residual, or JSON by side: {"text": "locked"}')
    .addOption(new Option("--loss <name>", "loss").choices(lossNames));
  for (const [flag, description] of numbers) train.option(`${flag} <n>`, description, parseNumber);
  train
    .option("--screen", "list suspicious pairs in the report")
    .option("--exclude-suspicious", "and leave them out")
    .option(
      "--activate",
      "use the version at once if it improved (an adapter: always unless --no-activate)",
    )
    .option("--no-activate", "store the version without activating it")
    .option("--report <file>", "write the report to a file ending in .html or .json")
    .option("--resume <job>", "continue an interrupted training job");
  onTarget(train, { models: true }, async (target, flags) => {
    const report = flags.report as string | undefined;
    if (report !== undefined && !/\.(html|json)$/.test(report)) {
      throw new CommandError(`Expected a file ending in .html or .json but received "${report}"`, {
        code: "invalid_input",
      });
    }
    const json = flags.json === true;
    const job =
      flags.resume === undefined
        ? await start(target, flags, json)
        : await resume(target, flags.resume, json);
    const result = job.result as TrainResult;
    printWarnings(result.warnings);
    if (report !== undefined) await writeReport(target, result, report);
    if (json) await print(JSON.stringify(result));
    else for (const line of linesOf(result)) await print(line);
  });
}

const numbers: [string, string][] = [
  ["--epochs", "passes over the pairs [50]"],
  ["--patience", "epochs without improvement before it stops [10]"],
  ["--batch-size", "pairs of a step, at most [256]"],
  ["--learning-rate", "peak of the schedule [0.0003]"],
  ["--weight-decay", "pull towards the start [0.1]"],
  ["--warmup", "share of the steps with a rising rate [0.1]"],
  ["--mixup", "alpha of the blend of pairs; 0 is off [0]"],
  ["--seed", "of the split and the batches [1]"],
  ["--l2", "of a linear probe [0.001]"],
];

async function start(
  target: Target,
  flags: Record<string, unknown>,
  json: boolean,
): Promise<JobAnswer> {
  const isAdapter = flags.kind !== "projection";
  const screen = flags.excludeSuspicious ? { exclude: true } : flags.screen ? true : undefined;
  const activate =
    flags.activate === false ? "never" : flags.activate === true ? "if_improved" : undefined;
  const options: Record<string, unknown> = {
    model: flags.model,
    name: flags.name,
    kind: flags.kind,
    head: headOf(flags.head as string | undefined),
    loss: flags.loss,
    screen,
    activate,
  };
  for (const [flag] of numbers) {
    const name = flag.slice(2);
    const camel = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    options[name.replaceAll("-", "_")] = flags[camel];
  }
  const field = isAdapter ? "items" : "pairs";
  const material = await materialOf(flags as MaterialFlags, field);
  const { job } = await target.trainHead({ ...options, ...material });
  return followToSuccess(target, job.id, json);
}

function headOf(text: string | undefined): unknown {
  if (text === undefined || !text.trimStart().startsWith("{")) return text;
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // told below
  }
  throw new CommandError(`--head: expected a kind or a JSON object but received ${text}`, {
    code: "invalid_input",
  });
}

async function resume(target: Target, id: string, json: boolean): Promise<JobAnswer> {
  await target.resumeJob(id);
  return followToSuccess(target, id, json);
}

async function writeReport(
  target: Target,
  { head, version }: TrainResult,
  file: string,
): Promise<void> {
  const text = file.endsWith(".html")
    ? await target.headReportPage(head, version)
    : JSON.stringify(await target.headReport(head, version));
  await writeFile(file, text);
}

function linesOf({
  head,
  version,
  activated,
  verdict,
  measures,
  labels,
  held_out: heldOut,
  screening,
}: TrainResult): string[] {
  const lines = [`${head}, version ${version}${activated ? ", active" : ""}`];
  if (verdict !== undefined) lines.push(verdict.reason);
  if (heldOut !== undefined) {
    const [low, high] = heldOut.interval.map((share) => `${(100 * share).toFixed(1)}`);
    lines.push(
      `${(100 * heldOut.accuracy).toFixed(1)} % (${low} to ${high}) right on held-out items, ` +
        `${heldOut.items} in ${heldOut.folds} folds`,
    );
  }
  if (labels !== undefined) lines.push(`labels: ${labels.join(", ")}`);
  if (screening !== undefined) {
    const found = Object.entries(screening.counts).map(([kind, count]) => `${count} ${kind}`);
    lines.push(`suspicious pairs: ${found.join(", ") || "none"}; left out: ${screening.excluded}`);
    for (const { kind, pairs, ids } of screening.worst) {
      const names = ids ?? pairs.map((at) => `row ${at + 1}`);
      lines.push(printable(`  ${kind.replace("_", " ")}: ${names.join("; ")}`));
    }
  }
  if (measures !== undefined) {
    const digits = (x: number) => x.toFixed(3);
    const rows = Object.entries(measures).map(([name, m]) => {
      return [name, digits(m.before), digits(m.after), m.interval.map(digits).join(" to "), m.says];
    });
    lines.push(...table(["measure", "before", "after", "change, 95 %", "says"], rows));
  }
  return lines;
}
