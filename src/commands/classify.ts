import type { Command } from "commander";
import type { ZeroShotAnswer } from "../wire/zero-shot.js";
import { eachInput } from "./each-input.js";
import { embedInputs } from "./embed-inputs.js";
import { addLabelFlags, checkLabelFlags, type LabelFlags, labelFields } from "./label-flags.js";
import { onTarget } from "./on-target.js";
import { collect } from "./options.js";
import { printWarnings } from "./print-warnings.js";
import { checkScorePath, type ScoreFile, scoreFile } from "./score-file.js";
import { CommandError } from "./target.js";
import { followLinksFlag } from "./walk-files.js";

/**
 * `crossmodal classify FILE… --labels a,b`: zero-shot scores of pictures, sounds and texts. Bad
 * files are listed at the end.
 */
export function classifyCommand(program: Command): void {
  const command = program
    .command("classify")
    .description("score pictures, sounds and texts against any labels")
    .argument("[files...]", "pictures, sounds and folders of them; - is standard input")
    .option("--text <text>", "a text to score; may be repeated", collect)
    .option("--recursive", "also look into subfolders")
    .option(...followLinksFlag)
    .option("--timeline", "scores of each window of a sound")
    .option("--out <file>", "write the scores: .csv, a row for each label, or .jsonl")
    .option("--force", "with --out: replace a file that is there");
  addLabelFlags(command);
  const check = (flags: Flags, files: string[]) => {
    if (files.length === 0 && flags.text === undefined)
      throw wrong("Nothing to classify: give files or --text");
    if (flags.force && flags.out === undefined) throw wrong("--force is for --out");
    if (flags.out !== undefined) checkScorePath(flags.out);
    checkLabelFlags(flags);
  };
  onTarget(command, { models: true, check }, async (target, flags, files: string[]) => {
    const { text, recursive, followLinks, out } = flags as Flags;
    const fields = await labelFields(flags);
    const { inputs, leftOut } = await embedInputs(
      files,
      { text, recursive, followLinks },
      undefined,
    );
    if (leftOut !== undefined) console.error(`left out: ${leftOut}`);
    if (inputs.length === 0) throw wrong("Found nothing to classify");
    const file = out === undefined ? undefined : await scoreFile(out, flags.force === true);
    const names = inputs.map(({ name }) => name);
    const work = eachInput(names, {
      activity: "classifying",
      ask: async (position) => {
        const input = inputs[position];
        const { modality, base64 } =
          "text" in input ? { modality: "text" as const, base64: input.text } : await input.read();
        return target.zeroShot({
          [modality]: base64,
          ...fields,
          timeline: modality === "audio" ? flags.timeline : undefined,
        });
      },
      report: async (answer, position) => {
        if (file === undefined) print(names[position], answer, flags.json === true);
        else await file.write(names[position], answer);
        printWarnings(answer.warnings, names[position]);
      },
    });
    await finished(work, file);
  });
}

/** What was answered is kept, also when some inputs failed. */
async function finished(work: Promise<void>, file: ScoreFile | undefined): Promise<void> {
  try {
    const failure = await work.catch((error) => {
      if (error instanceof CommandError) return error;
      throw error;
    });
    const summary = await file?.publish();
    if (summary !== undefined) console.log(summary);
    if (failure !== undefined) throw failure;
  } finally {
    await file?.discard();
  }
}

type Flags = LabelFlags & {
  text?: string[];
  recursive?: boolean;
  followLinks?: boolean;
  out?: string;
  force?: boolean;
};

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
