import { pathToFileURL } from "node:url";
import type { CallToolResult } from "@modelcontextprotocol/server";
import { AppError } from "../errors.js";
import { mediaTypeOf } from "../media/media-type.js";
import type { SearchAnswer } from "../wire/search.js";
import { askFor, ToolError } from "./ask.js";
import { pathOf } from "./paths.js";
import type { ToolParts } from "./tool.js";

type Block = CallToolResult["content"][number];
type Found = SearchAnswer["results"][number];
type Parts = Pick<ToolParts, "ask" | "files" | "base">;
interface Original {
  file?: File;
  link?: Block;
}
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
 * the original, where that can be read: the collection keeps it, or it is in a folder that is
 * allowed. Whatever does not fit is only linked.
 */
export async function resultMedia(
  parts: Parts,
  collection: string,
  results: readonly Found[],
  signal: AbortSignal,
): Promise<Block[]> {
  const media = await Promise.all(
    results.map(async (found) => {
      const original = await originalOf(parts, collection, found, signal);
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

/** The file that an item was made from: of the collection, or of a folder that is allowed. */
async function originalOf(
  parts: Parts,
  collection: string,
  found: Found,
  signal: AbortSignal,
): Promise<Original> {
  if (found.media_url === undefined) return localOf(parts, found);
  const path = `${pathOf(collection)}/items/${encodeURIComponent(found.id)}/media`;
  const response = await answerOf(parts, path, signal);
  if (response === undefined) return {};
  const mimeType = response.headers.get("content-type") ?? "application/octet-stream";
  const size = Number(response.headers.get("content-length"));
  const uri = parts.base === undefined ? undefined : new URL(found.media_url, parts.base).href;
  const link: Block | undefined =
    uri === undefined ? undefined : { type: "resource_link", name: found.id, uri, mimeType, size };
  if (size > maxBytes) {
    await response.body?.cancel();
    return { link };
  }
  return { file: { bytes: Buffer.from(await response.arrayBuffer()), mimeType }, link };
}

async function localOf({ files }: Parts, { id, source, modality }: Found): Promise<Original> {
  if (files === undefined || source === undefined || modality === "text") return {};
  const link = { type: "resource_link" as const, name: id, uri: pathToFileURL(source).href };
  try {
    const { bytes } = await files.read(source, maxBytes);
    const mimeType = mediaTypeOf(bytes);
    return { file: { bytes, mimeType }, link: { ...link, mimeType, size: bytes.length } };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // It was moved or has changed
    return error.code === "too_large" ? { link } : {};
  }
}

async function previewOf(
  parts: Parts,
  collection: string,
  id: string,
  signal: AbortSignal,
): Promise<File | undefined> {
  const path = `${pathOf(collection)}/items/${encodeURIComponent(id)}/preview`;
  const response = await answerOf(parts, path, signal);
  if (response === undefined) return undefined;
  const mimeType = response.headers.get("content-type") ?? "";
  const bytes = Buffer.from(await response.arrayBuffer());
  return mimeType === "image/webp" ? { bytes, mimeType } : undefined;
}

/** Undefined for what does not exist, or no longer. */
async function answerOf(
  { ask }: Parts,
  path: string,
  signal: AbortSignal,
): Promise<Response | undefined> {
  try {
    return await askFor(ask, path, { signal });
  } catch (error) {
    if (error instanceof ToolError && error.code === "not_found") return undefined;
    throw error;
  }
}
