import type { Command } from "commander";
import type { ZeroShotRequest } from "../wire/zero-shot.js";
import { type GivenLabel, parseLabels, readLabels } from "./labels.js";
import { collect, parseCount, parseNumber } from "./options.js";
import { CommandError } from "./target.js";

/** What `classify` and `tag` ask about, and how. */
export interface LabelFlags {
  labels?: GivenLabel[];
  labelsFile?: string;
  labelSet?: string;
  model?: string;
  head?: string;
  threshold?: number;
  template?: string[];
  multiLabel?: boolean;
  topK?: number;
  calibration?: string;
  reject?: number | true;
}

export function addLabelFlags(command: Command): Command {
  return command
    .option("--labels <a,b>", "candidate labels, comma-separated or a JSON array", parseLabels)
    .option("--labels-file <file>", "candidate labels, one per line or a JSON array")
    .option("--label-set <name>", "a saved label set")
    .option("--model <id>", "model to ask")
    .option("--head <name>", "a head of the model; one made from examples has its own labels")
    .option("--threshold <n>", "only scores of at least this", parseNumber)
    .option(
      "--template <text>",
      'prompt template with one {}, e.g. "a photo of a {}."; may be repeated',
      collect,
    )
    .option("--multi-label", "score each label on its own")
    .option("--top-k <n>", "only the best n", parseCount)
    .option("--calibration <name>", "for --reject and --multi-label (see calibrate)")
    .option(
      "--reject [rate]",
      "report when no label fits; share of such inputs that may pass [0.05]",
      (text) => parseNumber(text),
    );
}

/** @throws CommandError unless there is one source of labels. */
export function checkLabelFlags({ labels, labelsFile, labelSet, head }: LabelFlags): void {
  const sources = [labels, labelsFile, labelSet].filter((source) => source !== undefined);
  if (sources.length === 0 && head === undefined)
    throw wrong("Expected --labels, --labels-file, --label-set or a --head with its own labels");
  if (sources.length > 1) throw wrong("Expected one of --labels, --labels-file and --label-set");
}

/** The fields of a zero-shot request that these flags set. */
export async function labelFields(flags: LabelFlags): Promise<Partial<ZeroShotRequest>> {
  const { labels, labelsFile, reject } = flags;
  return {
    candidate_labels: (labelsFile === undefined
      ? labels
      : await readLabels(labelsFile)) as ZeroShotRequest["candidate_labels"],
    label_set: flags.labelSet,
    model: flags.model,
    head: flags.head,
    threshold: flags.threshold,
    hypothesis_template: flags.template,
    multi_label: flags.multiLabel,
    top_k: flags.topK,
    // Alone it leaves the rate to the server
    reject: (reject === true ? {} : reject && { false_alarm_rate: reject }) as
      | ZeroShotRequest["reject"]
      | undefined,
    calibration: flags.calibration,
  };
}

const wrong = (message: string) => new CommandError(message, { code: "invalid_input" });
