import { z } from "zod";
import type { LocalFiles } from "../media/local-files.js";
import { ToolError } from "./ask.js";

/** A call's content, as the routes take it. */
export interface GivenContent {
  modality: "text" | "image" | "audio";
  /** A text, or base64, a data URI or a URL. */
  value: string;
  /** For a local file: its path in the allowed folder, and its absolute path. */
  file?: { name: string; path: string };
}

const Content = z.string().min(1).optional();
const forms = "base64, a data URI, or an http(s) URL where the server allows its host";

const inline = {
  text: Content.describe("A text."),
  image: Content.describe(`A picture: ${forms}.`),
  audio: Content.describe(`A sound: ${forms}.`),
};

/**
 * Arguments for a text, picture or sound, of which a call gives exactly one; `file` only if files
 * may be read.
 */
export function contentFields(files: LocalFiles | undefined) {
  const where = files?.folders.join(", ");
  const file = Content.describe(
    `Path of a picture or sound on this machine, absolute or in ${where}; only files there ` +
      "can be read.",
  );
  const all = { ...inline, file };
  return files === undefined ? (inline as typeof all) : all;
}

export type ContentArguments = { text?: string; image?: string; audio?: string; file?: string };

/** @throws ToolError unless exactly one is given, or when a file cannot be read. */
export async function contentOf(
  parameters: ContentArguments,
  files: LocalFiles | undefined,
): Promise<GivenContent> {
  const allowed = ["text", "image", "audio", ...(files === undefined ? [] : ["file"])] as const;
  const names = (["text", "image", "audio", "file"] as const).filter(
    (name) => parameters[name] !== undefined,
  );
  const [name] = names;
  if (names.length !== 1) {
    const received = names.join(" and ") || "none";
    throw new ToolError(`Expected one of ${allowed.join(", ")} but received ${received}`);
  }
  if (name !== "file") return { modality: name, value: parameters[name]! };
  const { modality, bytes, ...file } = await files!.read(parameters.file!);
  return { modality, value: bytes.toString("base64"), file };
}
