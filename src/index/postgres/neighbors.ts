import { bytesPerNeighbor, tooLargeAnswer } from "../answer-size.js";
import type { CoreResult } from "../core-query.js";
import { type Found, type Hit, neighborsAtOnce } from "./hits.js";
import { mediaOf } from "./media.js";

/**
 * The answer.
 * @param itemsOf  gives the rows of hits with their items, `neighborsAtOnce` at a time, so that a
 *   large answer is noticed in time.
 * @throws AppError too_large.
 */
export async function answerOf(
  { hits, plan }: Found,
  { topK, maxBytes }: { topK: number; maxBytes: number },
  itemsOf: (some: Hit[]) => Promise<Hit[]>,
): Promise<CoreResult> {
  const neighbors: CoreResult["neighbors"] = [];
  let bytes = 0;
  for (let from = 0; from < hits.length; from += neighborsAtOnce) {
    const rows = await itemsOf(hits.slice(from, from + neighborsAtOnce));
    for (const row of rows) {
      const { id, modality, metadata, source, text } = row;
      bytes += bytesPerNeighbor + id.length + metadata.length + (source?.length ?? 0);
      bytes += text?.length ?? 0;
      if (bytes > maxBytes) throw tooLargeAnswer();
      const similarity = Math.max(-1, Math.min(1, row.similarity));
      neighbors.push({ id, modality, metadata, source, text, similarity, media: mediaOf(row) });
    }
  }
  const last = hits.length === topK ? hits.at(-1) : undefined;
  return {
    neighbors,
    bytes,
    plan,
    last: last && { similarity: last.similarity, row: last.seq },
  };
}
