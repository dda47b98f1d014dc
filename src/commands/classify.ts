import type { Command } from "commander";
import type { ZeroShotAnswer } from "../wire/zero-shot.js";
import { eachInput } from "./each-input.js";
import { addLabelFlags, checkLabelFlags, type LabelFlags, labelFields } from "./label-flags.js";
import { readMediaFile } from "./media-input.js";
import { onTarget } from "./on-target.js";
import { collect } from "./options.js";
import { printWarnings } from "./print-warnings.js";
import { CommandError } from "./target.js";

/**
 * `crossmodal classify FILE… --labels a,b`: zero-shot scores of pictures and sounds. Bad files are
 * listed at the end.
 */
export function classifyCommand(program: Command): void {
  const command = program
    .command("classify")
    .description("score pictures, sounds and texts against any labels")
    .argument("[files...]", "pictures or sounds; - is standard input")
    .option("--text <text>", "a text to score; may be given several times", collect)
    .option("--timeline", "scores of each window of a sound");
  addLabelFlags(command);
  const check = (given: LabelFlags & { text?: string[] }, files: string[]) => {
    if (files.length === 0 && given.text === undefined)
      throw wrong("Nothing to classify: give files or --text");
    checkLabelFlags(given);
  };
  onTarget(command, { models: true, check }, async (target, given, files: string[]) => {
    const texts: string[] = given.text ?? [];
    const fields = await labelFields(given);
    await eachInput([...texts, ...files], {
      what: "classifying",
      ask: async (position) => {
        const isText = position < texts.length;
        const { modality, base64 } = isText
          ? { modality: "text" as const, base64: texts[position] }
          : await readMediaFile(files[position - texts.length]);
        return target.zeroShot({
          [modality]: base64,
          ...fields,
          timeline: modality === "audio" ? given.timeline : undefined,
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
