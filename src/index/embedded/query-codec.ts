import { AppError, invalidInput } from "../../errors.js";
import { checkEmbedding } from "../check-item.js";
import { checkFilter } from "../filter.js";
import type { Neighbor, Query, Recall, SearchResult } from "../query.js";
import type { CoreQuery, CoreResult } from "./core-types.js";
import { modalities } from "./modality-means.js";
import type { Rank } from "./top-k.js";
import { unitLength } from "./unit-length.js";

const maxTopK = 10_000;

/** As `coreQuery`; of several queries `param` says which one is at fault: `queries[1].top_k`. */
export function coreQueries(queries: readonly Query[], dimensions: number): CoreQuery[] {
  return queries.map((query, i) => {
    try {
      return coreQuery(query, dimensions);
    } catch (error) {
      throw error instanceof AppError && queries.length > 1 ? error.within(`queries[${i}]`) : error;
    }
  });
}

/**
 * A query in the form the worker thread takes.
 * @throws AppError invalid_input, naming the field at fault.
 */
function coreQuery(query: Query, dimensions: number): CoreQuery {
  const {
    embedding,
    itemId,
    topK,
    filter,
    modality,
    minSimilarity,
    recall = "high",
    centering,
    cursor,
  } = query;
  if ((embedding === undefined) === (itemId === undefined)) {
    throw invalidInput(
      "embedding",
      "Expected either an embedding or the id of an item to search for",
    );
  }
  if (embedding !== undefined) checkEmbedding(embedding, dimensions, "embedding");
  if (!Number.isInteger(topK) || topK < 1 || topK > maxTopK) {
    throw invalidInput("top_k", `Expected 1 to ${maxTopK} for "top_k" but received ${topK}`);
  }
  if (!(["exact", "high", "fast"] satisfies Recall[]).includes(recall)) {
    throw invalidInput(
      "recall",
      `Expected exact, high or fast as recall but received ${JSON.stringify(recall)}`,
    );
  }
  if (minSimilarity !== undefined && !Number.isFinite(minSimilarity)) {
    throw invalidInput(
      "min_similarity",
      `Expected a number for "min_similarity" but received ${minSimilarity}`,
    );
  }
  return {
    embedding: embedding && unitLength(embedding),
    itemId,
    topK,
    recall,
    filter: filter && checkFilter(filter),
    modality: modality && modalities.indexOf(modality),
    minSimilarity,
    after: cursor === undefined ? undefined : readCursor(cursor),
    centering: centering && {
      queryModality: centering.queryModality && modalities.indexOf(centering.queryModality),
    },
  };
}

export function searchResult({ neighbors, last, plan }: CoreResult): SearchResult {
  return {
    neighbors: neighbors.map(({ id, similarity, modality, metadata, source, text }): Neighbor => {
      const neighbor: Neighbor = {
        id,
        similarity,
        modality: modalities[modality],
        metadata: JSON.parse(metadata),
      };
      if (source !== null) neighbor.source = source;
      if (text !== null) neighbor.text = text;
      return neighbor;
    }),
    ...(last && { nextCursor: writeCursor(last) }),
    plan,
  };
}

/** A cursor is the rank of the page's last neighbour; float64 survives JSON unchanged. */
function writeCursor({ similarity, row }: Rank): string {
  return Buffer.from(JSON.stringify([similarity, row])).toString("base64url");
}

function readCursor(cursor: string): Rank {
  try {
    const [similarity, row] = JSON.parse(
      Buffer.from(cursor, "base64url").toString("utf8"),
    ) as unknown[];
    if (typeof similarity === "number" && typeof row === "number") return { similarity, row };
  } catch {}
  throw invalidInput(
    "cursor",
    `Expected the cursor of an earlier page but received ${JSON.stringify(cursor)}`,
  );
}

/** A page's cursor is the row of its last item. */
export function writePageCursor(row: number): string {
  return Buffer.from(String(row)).toString("base64url");
}

export function readPageCursor(cursor: string): number {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidInput(
    "after",
    `Expected the cursor of an earlier page but received ${JSON.stringify(cursor)}`,
  );
}
