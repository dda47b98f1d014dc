import type { Embedding, Modality } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import { AppError, invalidInput } from "../errors.js";
import type { Bridges } from "../heads/bridge-version.js";
import { headOfCollection } from "../heads/collection-head.js";
import type { HeadStore } from "../heads/head-store.js";
import { bytesPerNeighbor, tooLargeAnswer } from "../index/answer-size.js";
import type { Query, SearchResult } from "../index/query.js";
import type { CollectionStats, VectorStore } from "../index/vector-store.js";
import type { DecodeLimits } from "../media/decoded-bytes.js";
import type { Turn } from "../media/turn.js";
import type { MediaParts, ReadBytes } from "../media/with-decoded.js";
import { timed } from "../stages.js";
import { embedAlong } from "./embed-along.js";
import { embedMedia } from "./embed-media.js";
import { type HeadedTarget, otherSpace, pathInto } from "./headed-path.js";
import type { NeutralQueries } from "./neutral-queries.js";

export interface SearchParts extends MediaParts {
  config: DecodeLimits & { maxAnswerBytes: number };
  store: VectorStore;
  packs: { list(): readonly LoadedPack[] };
  bridges: Bridges;
  heads: Pick<HeadStore, "use">;
  neutralQueries: NeutralQueries;
  /** Of the request. */
  turn: Turn;
}

/** The query: exactly one of text, image, audio, embedding and itemId. */
export interface CollectionQuery extends Omit<Query, "embedding" | "centering"> {
  text?: string;
  image?: ReadBytes;
  audio?: ReadBytes;
  embedding?: Embedding;
  /** The space of `embedding`, if known: any other than the collection's is refused. */
  space?: string;
  /** Of `embedding`, for `centering`. */
  queryModality?: Modality;
  centering?: boolean;
  /** For a text: the list ends where items are less relevant than this. */
  minRelevance?: number;
}

export interface CollectionAnswer extends SearchResult {
  /** The encoder and bridge that the query went through; empty for an embedding or an item. */
  path: readonly string[];
  /** Of each neighbour, if `minRelevance` was given. */
  relevance?: readonly number[];
  /** Warnings of the decoder of the query's picture or sound. */
  warnings?: readonly string[];
}

/**
 * Searches a collection by any content that its space, or a bridge into it, understands.
 *
 * @returns one answer per query, in order.
 * @throws AppError as `findPath`, the decoders and the store; of several queries `param` says
 *   which: `queries[1].text`.
 */
export async function searchCollection(
  parts: SearchParts,
  name: string,
  queries: readonly CollectionQuery[],
  signal?: AbortSignal,
): Promise<CollectionAnswers> {
  try {
    return await searchOnce(parts, name, queries, signal);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "conflict") throw error;
    // The collection was meanwhile replaced, e.g. by one of another head
    return searchOnce(parts, name, queries, signal);
  }
}

interface CollectionAnswers {
  model: string | undefined;
  space: string;
  answers: CollectionAnswer[];
}

async function searchOnce(
  parts: SearchParts,
  name: string,
  queries: readonly CollectionQuery[],
  signal: AbortSignal | undefined,
): Promise<CollectionAnswers> {
  const stats = await timed("search", () => parts.store.stats(name));
  const { space, options } = stats;
  const model = options.model as string | undefined;
  const target: HeadedTarget = {
    name,
    space,
    model,
    head: queries.some(isEmbedded) ? await headOfCollection(parts.heads, stats) : undefined,
  };
  const { maxAnswerBytes } = parts.config;
  // A request whose smallest results would not fit is refused before anything is embedded.
  const results = queries.reduce((sum, { topK }) => sum + Math.min(topK, stats.count), 0);
  if (results * bytesPerNeighbor > maxAnswerBytes) throw tooLargeAnswer();
  const embedded = await embedQueries(parts, target, queries, signal);
  const found = await timed("search", () =>
    parts.store.search(
      name,
      embedded.map(({ query }) => query),
      { signal, space, maxAnswerBytes },
    ),
  );
  return {
    model,
    space,
    answers: await Promise.all(
      found.map(async (result, i) => {
        const { path, warnings } = embedded[i];
        const relevant = await cutIrrelevant(
          parts,
          { stats, target, query: queries[i], signal },
          result,
        );
        return { ...relevant, path, warnings };
      }),
    ),
  };
}

/** Ends the list where it stops being about the query; no page comes after that. */
async function cutIrrelevant(
  { packs, bridges, store, neutralQueries }: SearchParts,
  {
    stats,
    target,
    query,
    signal,
  }: { stats: CollectionStats; target: HeadedTarget; query: CollectionQuery; signal?: AbortSignal },
  result: SearchResult,
): Promise<SearchResult & Pick<CollectionAnswer, "relevance">> {
  const { minRelevance, centering, filter, modality, recall } = query;
  if (minRelevance === undefined) return result;
  const path = pathInto({ packs: packs.list(), bridges: bridges.active() }, "text", target);
  const settings = {
    filter,
    modality,
    recall,
    ...(centering === true && { centering: { queryModality: "text" as const } }),
  };
  const scale = await neutralQueries.relevance(store, stats, { path, settings, signal });
  const relevance = result.neighbors.map(({ similarity }) => scale.of(similarity));
  const end = relevance.findIndex((value) => value < minRelevance);
  if (end < 0) return { ...result, relevance };
  const { nextCursor: _, neighbors, ...rest } = result;
  return { ...rest, neighbors: neighbors.slice(0, end), relevance: relevance.slice(0, end) };
}

/** Whether a query is embedded first, through the collection's head where it follows one. */
const isEmbedded = ({ text, image, audio }: CollectionQuery): boolean =>
  text !== undefined || image !== undefined || audio !== undefined;

interface EmbeddedQuery {
  query: Query;
  path: readonly string[];
  warnings?: readonly string[];
}

/**
 * Texts are encoded together, pictures and sounds one by one as the budget allows.
 */
async function embedQueries(
  parts: SearchParts,
  target: HeadedTarget,
  queries: readonly CollectionQuery[],
  signal: AbortSignal | undefined,
): Promise<EmbeddedQuery[]> {
  const found = { packs: parts.packs.list(), bridges: parts.bridges.active() };
  const at = (position: number) => (queries.length === 1 ? undefined : `queries[${position}]`);
  const texts = queries.flatMap(({ text }) => (text === undefined ? [] : [text]));
  const first = queries.findIndex(({ text }) => text !== undefined);
  const textPath =
    first < 0 ? undefined : await located(at(first), async () => pathInto(found, "text", target));
  const embeddedTexts = textPath && embedAlong(textPath, texts, signal);
  // Awaited below, perhaps after an earlier query has failed
  embeddedTexts?.catch(() => undefined);
  let nextText = 0;

  return Promise.all(
    queries.map((query, position) => {
      const {
        text,
        image,
        audio,
        embedding,
        space,
        queryModality,
        centering,
        minRelevance,
        ...rest
      } = query;
      if (minRelevance !== undefined && text === undefined)
        throw invalidInput(
          at(position) === undefined ? "min_relevance" : `${at(position)}.min_relevance`,
          '"min_relevance" is for text queries: neutral texts say nothing about others',
        );
      const embeddedQuery = (
        modality: Modality | undefined,
        source: Partial<Query>,
        path: readonly string[],
      ): EmbeddedQuery => ({
        query: {
          ...rest,
          ...source,
          ...(centering === true && { centering: { queryModality: modality } }),
        },
        path,
      });
      const textNumber = text === undefined ? -1 : nextText++;
      return located(at(position), async () => {
        if (textPath !== undefined && embeddedTexts !== undefined && textNumber >= 0) {
          return embeddedQuery(
            "text",
            { embedding: (await embeddedTexts)[textNumber].embedding },
            textPath.steps,
          );
        }
        for (const [modality, read] of [
          ["image", image],
          ["audio", audio],
        ] as const) {
          if (read === undefined) continue;
          const path = pathInto(found, modality, target);
          const media = { path, read, signal };
          const { embedded, warnings } = await embedMedia(parts, parts.turn, media);
          const { embedding } = embedded;
          return { ...embeddedQuery(modality, { embedding }, path.steps), warnings };
        }
        if (space !== undefined && space !== target.space) throw otherSpace(target, space);
        return embeddedQuery(queryModality, { embedding }, []);
      });
    }),
  );
}

/** With several queries, an error's `param` says which one it was. */
async function located<T>(part: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof AppError && part !== undefined ? error.within(part) : error;
  }
}
