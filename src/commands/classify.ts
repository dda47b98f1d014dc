import type { Command } from "commander";
import type { ZeroShotAnswer } from "../wire/zero-shot.js";
import { eachInput } from "./each-input.js";
import { readMediaFile } from "./media-input.js";
import { addTargetFlags, configOf, parseList, parseNumber } from "./options.js";
import { printWarnings } from "./print-warnings.js";
import { openTarget } from "./target.js";

/**
 * `crossmodal classify FILE… --labels a,b`: zero-shot scores of pictures and sounds. A bad file is
 * told at the end.
 */
export function classifyCommand(program: Command): void {
  const command = program
    .command("classify")
    .description("score pictures and sounds against any labels")
    .argument("<files...>", "pictures or sounds; - is standard input")
    .requiredOption("--labels <a,b>", "candidate labels, comma-separated", parseList)
    .option("--model <id>", "model to ask")
    .option("--template <text...>", 'prompt template with one {}, e.g. "a photo of a {}."')
    .option("--multi-label", "score each label by itself")
    .option("--top-k <n>", "only the best so many", parseNumber)
    .option("--timeline", "scores of each window of a sound")
    .option("--calibration <name>", "for --reject and --multi-label (see calibrate)")
    .option(
      "--reject [rate]",
      "say when no label fits; share of such inputs that may pass [0.05]",
      (text) => parseNumber(text),
    );
  addTargetFlags(command).action(async (files: string[], given) => {
    const target = await openTarget(configOf(given), given);
    try {
      await eachInput(files, "classifying", async (file) => {
        const { modality, base64 } = await readMediaFile(file);
        const body = {
          [modality]: base64,
          candidate_labels: given.labels,
          model: given.model,
          hypothesis_template: given.template,
          multi_label: given.multiLabel,
          top_k: given.topK,
          timeline: modality === "audio" ? given.timeline : undefined,
          reject: rejectOf(given.reject),
          calibration: given.calibration,
        };
        const answer = await target.zeroShot(body);
        print(file, answer, given.json === true);
        printWarnings(answer.warnings, file);
      });
    } finally {
      await target.close();
    }
  });
}

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
