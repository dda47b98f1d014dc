import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { compare, type Evaluation, evaluate, type Figure } from "../evaluation/evaluate.js";
import { scoresCsv } from "../evaluation/scores-csv.js";
import { type EvaluationReport, evaluationPage } from "../reports/evaluation-page.js";
import { patternOf, readLabelledFiles } from "./labelled-files.js";
import { onTarget } from "./on-target.js";
import { parseList, parseNumber } from "./options.js";
import { print } from "./output.js";
import {
  type ModelChoice,
  type Subject,
  scoreItems,
  subjectOf,
  subjectsOfCollection,
} from "./score-items.js";
import { table } from "./table.js";
import { CommandError, type Target } from "./target.js";
import { followLinksFlag, refusedFile, walkFiles } from "./walk-files.js";

/**
 * `crossmodal evaluate`: classifies labelled pictures or sounds, and reports how accurate the
 * answers are.
 */
export function evaluateCommand(program: Command): void {
  const command = program
    .command("evaluate")
    .description("measure a model or head on labelled pictures or sounds")
    .argument("[source]", "a folder with one folder per label, or a CSV: file,label,group,split")
    .optionsGroup("Items:")
    .option("--collection <name>", "items of a collection, with --by")
    .option("--by <field>", "metadata field with the label")
    .option(
      "--labels <a,b>",
      "candidate labels; items with other labels are unknown [all labels]",
      parseList,
    )
    .option("--unknown <folder>", "pictures or sounds that none of the labels fits")
    .option("--split <name>", "only rows of the CSV with this value in the column split")
    .option(...followLinksFlag)
    .option("--group-by <pattern|field>", "items of one group are drawn together for the intervals")
    .optionsGroup("Model and settings:")
    .option("--model <id>", "model to ask")
    .option("--head <name>", "a head of the model")
    .option("--template <text>", 'prompt template with one {}, e.g. "a photo of a {}."')
    .option("--multi-label", "score each label on its own")
    .option("--reject [rate]", "also check whether any label fits [0.05]", parseNumber)
    .option("--calibration <name>", "for --reject and --multi-label")
    .option("--against-model <id>", "compare with another model on the same items")
    .option("--against-head <name>", "or with another head; none is the bare model")
    .optionsGroup("Output:")
    .option("--out <file>", "write the report to a file ending in .html or .json")
    .option("--scores <file>", "write every score to a CSV file")
    .option("--seed <n>", "of the intervals [1]", parseNumber);
  onTarget(command, { models: true }, async (target, flags, source?: string) => {
    if (flags.out !== undefined && !/\.(html|json)$/.test(flags.out))
      throw wrong(`Expected a file ending in .html or .json but received "${flags.out}"`);
    const subjects = await subjectsOf(target, flags, source);
    const labels: string[] =
      flags.labels ?? [...new Set(subjects.flatMap(({ label }) => label ?? []))].sort();
    const offered = new Set(labels);
    if (!subjects.some(({ label }) => label !== undefined && offered.has(label)))
      throw wrong("No item has one of the labels");
    const choice = askedOf(flags);
    const items = await scoreItems(target, subjects, labels, choice);
    const options = { seed: flags.seed };
    const report: EvaluationReport = {
      title: nameOf(choice),
      ...evaluate(labels, items, options),
      comparison: null,
    };
    if (flags.againstModel !== undefined || flags.againstHead !== undefined) {
      const other = otherOf(choice, flags);
      const others = await scoreItems(target, subjects, labels, other);
      report.comparison = { with: nameOf(other), ...compare(items, others, options) };
    }
    if (flags.scores !== undefined) await writeFile(flags.scores, scoresCsv(labels, items));
    const json = JSON.stringify(report);
    if (flags.out !== undefined)
      await writeFile(flags.out, flags.out.endsWith(".html") ? evaluationPage(report) : json);
    if (flags.json) return print(json);
    for (const line of linesOf(report)) await print(line);
  });
}

type Flags = Record<string, unknown> & { labels?: string[] };
const wrong = (message: string) => new CommandError(message, { code: "invalid_input" });

async function subjectsOf(target: Target, flags: Flags, source?: string): Promise<Subject[]> {
  const { collection, by, split, unknown } = flags as Record<string, string | undefined>;
  const groupBy = flags.groupBy as string | undefined;
  const followLinks = flags.followLinks === true;
  if ((source === undefined) === (collection === undefined))
    throw wrong("Expected a folder or CSV, or --collection NAME with --by FIELD");
  if (collection !== undefined) {
    if (by === undefined) throw wrong("--collection needs --by FIELD: where the labels are");
    for (const option of ["split", "unknown"])
      if (flags[option] !== undefined) throw wrong(`--${option} is for files, not a collection`);
    return subjectsOfCollection(target, collection, { by, groupBy });
  }
  if (by !== undefined) throw wrong("--by is for --collection");
  const pattern = groupBy === undefined ? undefined : patternOf(groupBy);
  const files = await readLabelledFiles(source!, { groupBy: pattern, followLinks });
  const chosen = split === undefined ? files : files.filter((file) => file.split === split);
  if (chosen.length === 0) throw wrong(`No row of ${source} has "${split}" in the column split`);
  return [...chosen.map(subjectOf), ...(await strangersOf(unknown, followLinks))];
}

async function strangersOf(folder: string | undefined, followLinks: boolean): Promise<Subject[]> {
  const subjects: Subject[] = [];
  if (folder === undefined) return subjects;
  for await (const file of walkFiles(folder, { recursive: true, followLinks })) {
    const { path, within, name } = file;
    const why = refusedFile(file);
    if (why !== undefined) throw wrong(`${path}: ${why}`);
    subjects.push(subjectOf({ path, within, id: `unknown/${name}`, label: undefined }));
  }
  if (subjects.length === 0) throw wrong(`There are no files in ${folder}`);
  return subjects;
}

function askedOf(flags: Flags): ModelChoice {
  const { reject } = flags;
  return {
    model: flags.model,
    head: flags.head,
    hypothesis_template: flags.template,
    multi_label: flags.multiLabel,
    calibration: flags.calibration,
    reject: reject === undefined ? undefined : reject === true ? {} : { false_alarm_rate: reject },
  };
}

/** Another model, without the head of the first; or another head. */
function otherOf(choice: ModelChoice, { againstModel, againstHead }: Flags): ModelChoice {
  const { reject: _, calibration: __, ...plain } = choice;
  return {
    ...plain,
    model: againstModel ?? choice.model,
    head: againstHead === "none" ? undefined : againstHead,
  };
}

const nameOf = ({ model, head }: ModelChoice) =>
  head === undefined ? String(model ?? "the model without a head") : `head ${head}`;

const percent = ({ value, interval }: Figure) =>
  `${(100 * value).toFixed(1)} % (${interval.map((x) => (100 * x).toFixed(1)).join(" to ")})`;
const three = ({ value, interval }: Figure) =>
  `${value.toFixed(3)} (${interval.map((x) => x.toFixed(3)).join(" to ")})`;

function linesOf(report: EvaluationReport): string[] {
  const { items, labels, accuracy, macro, calibration, retrieval, known_unknown: both } = report;
  const groups = items.groups < items.known + items.unknown ? ` in ${items.groups} groups` : "";
  const unknown = items.unknown === 0 ? "" : ` and ${items.unknown} unknown`;
  const lines = [
    `${report.title}: ${items.known} items of ${labels.length} labels${unknown}${groups}; 95 ` +
      "% intervals",
    `accuracy ${percent(accuracy)}`,
    `precision ${percent(macro.precision)}, recall ${percent(macro.recall)}, F1 ` +
      `${percent(macro.f1)}, means over labels`,
    `calibration error ${three(calibration.ece)}, mean confidence ` +
      `${calibration.mean_confidence.toFixed(3)}`,
    `label of an item among the first 5: ${(100 * retrieval.item_to_label.at_5).toFixed(1)} ` +
      `%, mean reciprocal rank ${retrieval.item_to_label.mean_reciprocal_rank.toFixed(3)}`,
  ];
  if (both !== null) {
    lines.push(`known against unknown: AUROC ${three(both.auroc)}`);
    if (both.false_alarms !== null)
      lines.push(
        `passed for known: ${percent(both.false_alarms)} of the unknown, ` +
          `${percent(both.accepted!)} of the known`,
      );
  }
  if (report.comparison !== null) {
    const { accuracy: change, only_first, only_second, p_value } = report.comparison;
    lines.push(
      `${report.comparison.with}: accuracy ${(100 * change.second).toFixed(1)} %, a ` +
        `difference of ${percent(change.difference)}; right alone ${only_second} times, the ` +
        `other ${only_first} times (p = ${p_value.toPrecision(2)})`,
    );
  }
  return [...lines, ...classTable(report)];
}

function classTable({ per_class }: Evaluation): string[] {
  const rows = per_class.map(({ label, support, precision, recall, f1 }) => [
    label,
    support,
    ...[precision, recall, f1].map((x) => x.toFixed(3)),
  ]);
  return table(["label", "items", "precision", "recall", "F1"], rows);
}
