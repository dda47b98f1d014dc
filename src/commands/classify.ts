import type { Command } from "commander";
import type { ZeroShotAnswer } from "../wire/zero-shot.js";
import { eachInput } from "./each-input.js";
import { parseLabels, readLabels } from "./labels.js";
import { readMediaFile } from "./media-input.js";
import { onTarget } from "./on-target.js";
import { collect, parseCount, parseNumber } from "./options.js";
import { printWarnings } from "./print-warnings.js";
import { CommandError } from "./target.js";

/**
 * `crossmodal classify FILE… --labels a,b`: zero-shot scores of pictures and sounds. A bad file is
 * told at the end.
 */
export function classifyCommand(program: Command): void {
  const command = program
    .command("classify")
    .description("score pictures, sounds and texts against any labels")
    .argument("[files...]", "pictures or sounds; - is standard input")
    .option("--text <text>", "a text to score; may be given several times", collect)
    .option("--labels <a,b>", "candidate labels, comma-separated or a JSON array", parseLabels)
    .option("--labels-file <file>", "candidate labels, one a line or a JSON array")
    .option("--label-set <name>", "a saved label set")
    .option("--model <id>", "model to ask")
    .option("--head <name>", "a head of the model; one made from examples has its own labels")
    .option("--threshold <n>", "only scores of at least this", parseNumber)
    .option(
      "--template <text>",
      'prompt template with one {}, e.g. "a photo of a {}."; may be given several times',
      collect,
    )
    .option("--multi-label", "score each label on its own")
    .option("--top-k <n>", "only the best so many", parseCount)
    .option("--timeline", "scores of each window of a sound")
    .option("--calibration <name>", "for --reject and --multi-label (see calibrate)")
    .option(
      "--reject [rate]",
      "say when no label fits; share of such inputs that may pass [0.05]",
      (text) => parseNumber(text),
    );
  const check = (given: Record<string, unknown>, files: string[]) => {
    if (files.length === 0 && given.text === undefined)
      throw wrong("Nothing to classify: give files or --text");
    const sources = [given.labels, given.labelsFile, given.labelSet, given.head];
    if (sources.every((source) => source === undefined))
      throw wrong("Expected --labels, --labels-file, --label-set or a --head with its own labels");
    if (sources.slice(0, 3).filter((source) => source !== undefined).length > 1)
      throw wrong("Expected one of --labels, --labels-file and --label-set");
  };
  onTarget(command, { models: true, check }, async (target, given, files: string[]) => {
    const texts: string[] = given.text ?? [];
    const labels =
      given.labelsFile === undefined ? given.labels : await readLabels(given.labelsFile);
    await eachInput([...texts, ...files], {
      what: "classifying",
      ask: async (position) => {
        const isText = position < texts.length;
        const { modality, base64 } = isText
          ? { modality: "text" as const, base64: texts[position] }
          : await readMediaFile(files[position - texts.length]);
        return target.zeroShot({
          [modality]: base64,
          candidate_labels: labels,
          label_set: given.labelSet,
          model: given.model,
          head: given.head,
          threshold: given.threshold,
          hypothesis_template: given.template,
          multi_label: given.multiLabel,
          top_k: given.topK,
          timeline: modality === "audio" ? given.timeline : undefined,
          reject: rejectOf(given.reject),
          calibration: given.calibration,
        });
      },
      tell: (answer, position) => {
        const name = [...texts, ...files][position];
        print(name, answer, given.json === true);
        printWarnings(answer.warnings, name);
      },
    });
  });
}

const wrong = (message: string) => new CommandError(message, { code: "invalid_input" });

/** `--reject` alone leaves the rate to the server. */
const rejectOf = (rate: number | true | undefined) =>
  rate === undefined ? undefined : rate === true ? {} : { false_alarm_rate: rate };

function print(file: string, answer: ZeroShotAnswer, json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ file, ...answer }));
    return;
  }
  const line = ({ label, score }: { label: string; score: number }) =>
    `  ${score.toFixed(3)}  ${label}`;
  const unknown = answer.known === false ? "  none of these" : "";
  console.log(`${file}  (${answer.model})${unknown}\n${answer.scores.map(line).join("\n")}`);
  for (const window of answer.timeline ?? []) {
    const [best] = window.scores;
    const place = `${window.start_seconds.toFixed(1)}-${window.end_seconds.toFixed(1)} s`;
    if (best !== undefined)
      console.log(`    ${place.padEnd(16)} ${best.score.toFixed(3)}  ${best.label}`);
  }
}
