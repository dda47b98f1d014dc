import { csvLine } from "../files/csv-line.js";
import { newFile } from "../files/new-file.js";
import type { ZeroShotAnswer } from "../wire/zero-shot.js";
import { counted } from "./counted.js";
import { CommandError } from "./target.js";

export interface ScoreFile {
  write(name: string, answer: ZeroShotAnswer): Promise<void>;
  /** Gives the file its name. @returns a sentence; undefined when there was no answer. */
  publish(): Promise<string | undefined>;
  /** Removes what was written, unless it was published. */
  discard(): Promise<void>;
}

export function checkScorePath(path: string): void {
  if (/\.(csv|jsonl)$/.test(path)) return;
  const message = `--out: expected a file ending in .csv or .jsonl but received "${path}"`;
  throw new CommandError(message, { code: "invalid_input" });
}

const head = ["file", "start_seconds", "end_seconds", "label", "score", "known"];

/**
 * Scores as lines of answers, or as CSV with a row for each label, best first, and for each label
 * of a window of a sound's timeline. Where none of the labels fits, `known` is false.
 */
export async function scoreFile(path: string, replace: boolean): Promise<ScoreFile> {
  const file = await newFile(path, { replace });
  const isCsv = path.endsWith(".csv");
  let inputs = 0;
  return {
    async write(name, answer) {
      if (isCsv && inputs === 0) await file.write(csvLine(head));
      inputs++;
      const text = isCsv
        ? csvRows(name, answer).map(csvLine).join("")
        : `${JSON.stringify({ file: name, ...answer })}\n`;
      await file.write(text);
    },
    async publish() {
      if (inputs === 0) return undefined;
      await file.publish();
      return `scores of ${counted(inputs, "input")} to ${path}`;
    },
    discard: () => file.discard(),
  };
}

function csvRows(name: string, { scores, known, timeline }: ZeroShotAnswer) {
  const wholeFile = { start_seconds: undefined, end_seconds: undefined, scores, known };
  return [wholeFile, ...(timeline ?? [])].flatMap((window) =>
    window.scores.map((one) => [
      name,
      window.start_seconds?.toFixed(3),
      window.end_seconds?.toFixed(3),
      one.label,
      one.score,
      one.known ?? window.known,
    ]),
  );
}
