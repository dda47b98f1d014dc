import { pathToFileURL } from "node:url";
import type { CallToolResult } from "@modelcontextprotocol/server";
import { AppError } from "../errors.js";
import { sniffAudio } from "../media/audio/sniff-audio.js";
import { sniffFormat } from "../media/sniff.js";
import type { SearchAnswer } from "../wire/search.js";
import { askFor, ToolError } from "./ask.js";
import { pathOf } from "./paths.js";
import type { ToolParts } from "./tool.js";

type Block = CallToolResult["content"][number];
type Found = SearchAnswer["results"][number];
interface File {
  bytes: Buffer;
  mimeType: string;
}

/** Base64 of all files of an answer together: hosts refuse results of about a megabyte. */
const maxCharacters = 600_000;
const maxBytes = (maxCharacters / 4) * 3;

/**
 * Pictures and sounds of what was found, each after a text with its id, up to a size in all, and a
 * link to the original. A picture is shown by its preview; a sound, and a picture without one, by
 * the original, where that can be read: it is in a folder that is allowed. What does not fit is
 * only linked.
 */
export async function resultMedia(
  parts: Pick<ToolParts, "ask" | "files">,
  collection: string,
  results: readonly Found[],
  signal: AbortSignal,
): Promise<Block[]> {
  const media = await Promise.all(
    results.map(async (found) => {
      const original = await originalOf(parts, found);
      const preview =
        found.modality === "image"
          ? await previewOf(parts, collection, found.id, signal)
          : undefined;
      return { found, shown: preview ?? original.file, link: original.link };
    }),
  );
  const blocks: Block[] = [];
  let characters = 0;
  for (const { found, shown, link } of media) {
    const data = shown?.bytes.toString("base64") ?? "";
    const fits = data !== "" && characters + data.length <= maxCharacters;
    if (fits || link !== undefined) blocks.push({ type: "text", text: `${found.id}:` });
    if (fits) {
      characters += data.length;
      const type = found.modality === "image" ? "image" : "audio";
      blocks.push({ type, data, mimeType: shown!.mimeType });
    }
    if (link !== undefined) blocks.push(link);
  }
  return blocks;
}

/** By the content; of a sound that only ffmpeg reads, what its name would say is not told. */
function mediaTypeOf(bytes: Uint8Array): string {
  const format = sniffFormat(bytes);
  if (format === undefined) return "application/octet-stream";
  if (format !== "sound") return `image/${format}`;
  const sound = sniffAudio(bytes)?.format;
  if (typeof sound !== "string") return "application/octet-stream";
  return sound === "mp3" ? "audio/mpeg" : `audio/${sound}`;
}

/** The file that an item was made from, when it is in a folder that is allowed. */
async function originalOf(
  { files }: Pick<ToolParts, "files">,
  { id, source, modality }: Found,
): Promise<{ file?: File; link?: Block }> {
  if (files === undefined || source === undefined || modality === "text") return {};
  const link = { type: "resource_link" as const, name: id, uri: pathToFileURL(source).href };
  try {
    const { bytes } = await files.read(source, maxBytes);
    const mimeType = mediaTypeOf(bytes);
    return { file: { bytes, mimeType }, link: { ...link, mimeType, size: bytes.length } };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // It is elsewhere now, or no longer what it was
    return error.code === "too_large" ? { link } : {};
  }
}

async function previewOf(
  { ask }: Pick<ToolParts, "ask">,
  collection: string,
  id: string,
  signal: AbortSignal,
): Promise<File | undefined> {
  const path = `${pathOf(collection)}/items/${encodeURIComponent(id)}/preview`;
  try {
    const response = await askFor(ask, path, { signal });
    const mimeType = response.headers.get("content-type") ?? "";
    const bytes = Buffer.from(await response.arrayBuffer());
    return mimeType === "image/webp" ? { bytes, mimeType } : undefined;
  } catch (error) {
    if (error instanceof ToolError && error.code === "not_found") return undefined;
    throw error;
  }
}
