import { type FileHandle, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PackFile } from "../encoders/manifest.js";
import { hashOpenFile } from "../encoders/pack-files.js";
import { AppError } from "../errors.js";
import { LeadsOutside, openRegular } from "../files/open-regular.js";
import { readUpTo } from "../files/read-regular.js";

/**
 * Deeper than any file that a tokenizer or a configuration needs; deep nesting overflows the stack
 * of recursive code.
 */
const maxDepth = 100;

/**
 * A blob of a hub cache, as `snapshots/<commit>/<path>` and the folders that huggingface_hub copies
 * to link to it: named after its hash, so that nothing else can be meant.
 */
const hubBlob = /[/\\]models--[^/\\]+[/\\]blobs[/\\]([0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Opens a file of a model folder for reading, see `openRegular`. A link counts as its target if
 * that is in the folder or a blob of a hub cache; any other could bring in a file that must not be
 * copied.
 *
 * @throws AppError `invalid_input` naming the path.
 */
export async function openModelFile(folder: string, path: string): Promise<FileHandle> {
  const full = join(folder, path);
  try {
    const [root, target] = await Promise.all([realpath(folder), realpath(full)]);
    const isBlob = hubBlob.test(target);
    const [from, within] = isBlob ? [target, dirname(target)] : [full, root];
    return await openRegular(from, { within: [within] });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem =
      error instanceof LeadsOutside
        ? `is a link to ${error.target}, outside the folder: put the file itself there`
        : code === undefined
          ? message.replace(/^it /, "")
          : `cannot be read (${code})`;
    throw new AppError("invalid_input", `${full} ${problem}`, { param: "folder", cause: error });
  }
}

/**
 * Size and sha256 of a file of a model folder. @throws AppError `invalid_input`, see
 * `openModelFile`.
 */
export async function describeModelFile(folder: string, path: string): Promise<PackFile> {
  const file = await openModelFile(folder, path);
  try {
    const { size } = await file.stat();
    return { path, size, sha256: await hashOpenFile(file) };
  } finally {
    await file.close();
  }
}

/**
 * A JSON object from a model folder.
 * @throws AppError `invalid_input` when it is too long, nested too deeply, or not a JSON object.
 */
export async function readModelJson(
  folder: string,
  path: string,
  { maxBytes = 16 * 2 ** 20 }: { maxBytes?: number } = {},
): Promise<Record<string, unknown>> {
  const refuse = (problem: string, cause?: unknown) =>
    new AppError("invalid_input", `${join(folder, path)}${problem}`, { param: "folder", cause });
  const file = await openModelFile(folder, path);
  let text: string;
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw refuse(` has ${size} bytes; at most ${maxBytes} are read`);
    text = (await readUpTo(file, size)).toString("utf8");
  } finally {
    await file.close();
  }
  const depth = depthOf(text);
  if (depth > maxDepth) throw refuse(` is nested ${depth} deep; at most ${maxDepth} is read`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(" is not valid JSON", error);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw refuse(": Expected a JSON object");
}

/** How deep the brackets of a JSON text are nested; brackets within strings do not count. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}
