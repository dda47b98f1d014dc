import { createHash } from "node:crypto";
import { AppError } from "../errors.js";
import { readRegularFile } from "./read-regular.js";

type Json = Record<string, unknown>;

/** Used for settings and job records of a few kilobytes. */
const maxBytes = 16 * 2 ** 20;

/**
 * A JSON object with the sha256 of the rest as its last field, so that a flipped byte is noticed.
 */
export function checkedJson(value: object): string {
  const text = JSON.stringify(value);
  return JSON.stringify({ ...(JSON.parse(text) as Json), sha256: sha256(text) });
}

/**
 * Reads what `checkedJson` wrote. A file of an earlier version, without a sum, is accepted.
 * @throws AppError `storage_corrupt`, naming the file, when it is missing, empty, cut short or
 *   changed.
 */
export async function readCheckedJson(path: string): Promise<Json> {
  let text: string;
  try {
    text = (await readRegularFile(path, maxBytes)).toString("utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw damaged(path, message, error);
    throw damaged(path, code === "ENOENT" ? "it is missing" : `it cannot be read: ${code}`, error);
  }
  if (text.trim() === "") throw damaged(path, "it is empty");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw damaged(path, "it is not JSON", error);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw damaged(path, "it does not hold a JSON object");
  const { sha256: sum, ...value } = parsed as Json;
  if (sum !== undefined && sum !== sha256(JSON.stringify(value)))
    throw damaged(path, "its contents were changed");
  return value;
}

/** A file of the data folder that cannot be used. */
export const damaged = (path: string, why: string, cause?: unknown) =>
  new AppError("storage_corrupt", `The file "${path}" is damaged: ${why}`, { cause });

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
