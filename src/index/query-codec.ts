import { createHash } from "node:crypto";
import type { Modality } from "../encoders/encoder.js";
import { AppError, invalidInput } from "../errors.js";
import { checkEmbedding } from "./check-item.js";
import type { CoreQuery, CoreResult, Rank } from "./core-query.js";
import { checkFilter, type Filter } from "./filter.js";
import { modalities } from "./modalities.js";
import { type PageOrder, pageOrders } from "./page-order.js";
import type { Neighbor, Query, Recall, SearchResult } from "./query.js";
import { unitLength } from "./unit-length.js";

const maxTopK = 10_000;

/** As `coreQuery`; with several queries `param` says which one is at fault: `queries[1].top_k`. */
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
 * A query in the form that drivers answer.
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
  const settings = {
    embedding: embedding && unitLength(embedding),
    itemId,
    topK,
    recall,
    filter: filter && checkFilter(filter),
    modality: modality && modalities.indexOf(modality),
    minSimilarity,
    centering: centering && {
      queryModality: centering.queryModality && modalities.indexOf(centering.queryModality),
    },
  };
  return { ...settings, after: cursor === undefined ? undefined : readCursor(cursor, settings) };
}

export function searchResult(
  { neighbors, last, plan }: CoreResult,
  query: CoreQuery,
): SearchResult {
  return {
    neighbors: neighbors.map(({ modality, metadata, source, text, media, ...rest }): Neighbor => {
      const neighbor: Neighbor = {
        ...rest,
        modality: modalities[modality],
        metadata: JSON.parse(metadata),
      };
      if (source !== null) neighbor.source = source;
      if (text !== null) neighbor.text = text;
      if (media !== undefined) neighbor.media = media;
      return neighbor;
    }),
    ...(last && { nextCursor: writeCursor(last, query) }),
    plan,
  };
}

/**
 * A cursor is the rank of the page's last neighbour and a fingerprint of the query: with another
 * query it would start in the middle. Float64 survives JSON unchanged.
 */
function writeCursor({ similarity, row }: Rank, query: CoreQuery): string {
  const mark = [similarity, row, settingsOf(query), sketchOf(query.embedding)];
  return Buffer.from(JSON.stringify(mark)).toString("base64url");
}

function readCursor(cursor: string, query: CoreQuery): Rank {
  let mark: unknown;
  try {
    mark = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {}
  const [similarity, row, settings, sketch] = Array.isArray(mark) ? mark : [];
  if (typeof similarity !== "number" || typeof row !== "number" || !Array.isArray(sketch))
    throw noCursor("cursor", cursor);
  const querySketch = sketchOf(query.embedding);
  const isSame =
    settings === settingsOf(query) &&
    sketch.length === querySketch.length &&
    querySketch.every((value, i) => Math.abs(value - sketch[i]) <= sketchTolerance);
  if (!isSame) throw otherCursor("cursor", "query");
  return { similarity, row };
}

/**
 * On a GPU the same text embeds to nearly, but not exactly, the same numbers: the first ones are
 * compared in thousandths, with a tolerance.
 */
const sketchOf = (embedding: Float32Array | undefined): number[] =>
  Array.from(embedding?.subarray(0, 16) ?? [], (value) => Math.round(1000 * value));
const sketchTolerance = 3;

const settingsOf = ({ itemId, filter, modality, centering }: CoreQuery): string =>
  hashOf([itemId, filter, modality, centering?.queryModality, centering !== undefined]);

/** A page's cursor is the key of its last item, and a hash of its filter, modality and order. */
export function writePageCursor(key: number | string, settings: PageSettings): string {
  return Buffer.from(`${key}.${hashOf(settings)}`).toString("base64url");
}

/** @returns the key of the last item of the page before; undefined before the first page. */
export function readPageCursor(
  cursor: string | undefined,
  settings: PageSettings,
): number | string | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  const [, key, hash] = /^(.+)\.(\w{16})$/s.exec(text) ?? [];
  const isId = pageOrders[settings.order].by === "id";
  if (key === undefined || !(isId || /^\d{1,15}$/.test(key))) throw noCursor("after", cursor);
  if (hash !== hashOf(settings)) throw otherCursor("after", "filter, modality or order");
  return isId ? key : Number(key);
}

interface PageSettings {
  filter: Filter | undefined;
  modality: Modality | undefined;
  order: PageOrder;
}

const hashOf = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);

function noCursor(param: string, cursor: string): AppError {
  const message = `Expected the cursor of an earlier page but received ${JSON.stringify(cursor)}`;
  return invalidInput(param, message);
}

function otherCursor(param: string, owner: string): AppError {
  return invalidInput(param, `The cursor belongs to another ${owner}: start without one`);
}
