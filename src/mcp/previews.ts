import type { CallToolResult } from "@modelcontextprotocol/server";
import { type Ask, askFor, ToolError } from "./ask.js";
import { pathOf } from "./paths.js";

type Block = CallToolResult["content"][number];

/** Base64 of all pictures of an answer together: hosts refuse results of about a megabyte. */
const maxCharacters = 600_000;

/**
 * Pictures of items, each after a text with its id, up to a size in all. Sounds have a waveform in
 * SVG only, which models do not see; what has no picture is left out.
 */
export async function previewsOf(
  ask: Ask,
  collection: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Block[]> {
  const pictures = await Promise.all(ids.map((id) => previewOf(ask, collection, id, signal)));
  const blocks: Block[] = [];
  let characters = 0;
  for (const [i, picture] of pictures.entries()) {
    if (picture === undefined) continue;
    characters += picture.data.length;
    if (characters > maxCharacters) break;
    blocks.push({ type: "text", text: `${ids[i]}:` }, { type: "image", ...picture });
  }
  return blocks;
}

async function previewOf(
  ask: Ask,
  collection: string,
  id: string,
  signal: AbortSignal,
): Promise<{ data: string; mimeType: string } | undefined> {
  const path = `${pathOf(collection)}/items/${encodeURIComponent(id)}/preview`;
  try {
    const response = await askFor(ask, path, { signal });
    const mimeType = response.headers.get("content-type") ?? "";
    const bytes = Buffer.from(await response.arrayBuffer());
    return mimeType === "image/webp" ? { data: bytes.toString("base64"), mimeType } : undefined;
  } catch (error) {
    if (error instanceof ToolError && error.code === "not_found") return undefined;
    throw error;
  }
}
