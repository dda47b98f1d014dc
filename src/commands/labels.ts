import { readFile } from "node:fs/promises";
import { InvalidArgumentError } from "commander";
import type { Label } from "../zero-shot/label.js";
import { parseList } from "./options.js";
import { CommandError } from "./target.js";
import { fileError } from "./walk-files.js";

export type GivenLabel = string | Label;

/** `a,b`, or a JSON array as the server takes it: for labels with commas, prompts, thresholds. */
export function parseLabels(text: string): GivenLabel[] {
  if (!text.trimStart().startsWith("[")) return parseList(text);
  try {
    return JSON.parse(text) as GivenLabel[];
  } catch (error) {
    throw new InvalidArgumentError(`Expected a JSON array: ${(error as Error).message}`);
  }
}

/** A file with a label a line, or with a JSON array. */
export async function readLabels(path: string): Promise<GivenLabel[]> {
  const text = await readFile(path, "utf8").catch((error: Error) => {
    throw new CommandError(`${path}: ${fileError(error)}`, { code: "invalid_input" });
  });
  if (text.trimStart().startsWith("[")) {
    try {
      return JSON.parse(text) as GivenLabel[];
    } catch (error) {
      throw new CommandError(`${path} is not a JSON array: ${(error as Error).message}`, {
        code: "invalid_input",
      });
    }
  }
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
