import { Hono } from "hono";
import { z } from "zod";
import type { MediaAddresses } from "../access/media-addresses.js";
import { invalidInput } from "../errors.js";
import type { Cost } from "../media/budget.js";
import {
  type CollectionAnswer,
  type CollectionQuery,
  searchCollection,
} from "../search/search-collection.js";
import { costOfQuery } from "../search/search-cost.js";
import type { Services } from "../services.js";
import { type QueryBody, SearchAnswer, SearchAnswers, SearchBody } from "../wire/search.js";
import {
  bodyErrors,
  describe,
  inferenceErrors,
  json,
  jsonOrForm,
  storeErrors,
} from "./describe.js";
import { embeddingOf } from "./embedding-field.js";
import { type MediaReader, mediaReader } from "./item-body.js";
import { costOfMedia } from "./media-cost.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";

const contents = ["text", "image", "audio", "embedding", "embedding_base64", "item_id"] as const;
const jsonFields = [
  "embedding",
  "top_k",
  "filter",
  "min_similarity",
  "min_relevance",
  "centering",
  "queries",
];

const searchOperation = describe({
  id: "search",
  tag: "Collections",
  summary: "The nearest items to a text, picture, sound, vector or item",
  description:
    "One of text, image, audio, embedding, embedding_base64 and item_id; or queries, each with " +
    "one, " +
    "and the settings they share beside them.",
  body: jsonOrForm(SearchBody),
  answers: { 200: { content: json(z.union([SearchAnswer, SearchAnswers])) } },
  errors: [...bodyErrors, ...inferenceErrors, ...storeErrors],
});

/**
 * `POST /v1/collections/{name}/search`: by text, picture, sound, vector or item; one query or many.
 */
export function searchRoutes(services: Services, addresses: MediaAddresses) {
  const { budget, config, fetchMedia } = services;
  return new Hono<RequestVariables>().post(
    "/v1/collections/:name/search",
    searchOperation,
    async (c) => {
      budget.refuseWhenFull();
      const name = c.req.param("name");
      const body = await readRequest(c, SearchBody, { json: jsonFields });
      const signal = c.get("signal");
      const readerOf = mediaReader(fetchMedia, signal);
      const bodies = body.queries === undefined ? [body] : queriesOf(body, config.maxInputs);
      const queries = bodies.map((query, i) =>
        queryOf(query, body.queries === undefined ? "" : `queries[${i}].`, readerOf),
      );
      const costs = function* (): Generator<Cost> {
        for (const [i, { image, audio }] of bodies.entries()) {
          yield costOfQuery(queries[i]);
          if (image !== undefined) yield costOfMedia(image, "image", config);
          if (audio !== undefined) yield costOfMedia(audio, "audio", config);
        }
      };
      const { model, space, answers } = await budget.request(costs(), signal, (turn) =>
        searchCollection({ ...services, turn }, name, queries, signal),
      );
      const resultsOf = ({
        neighbors,
        relevance,
        nextCursor,
        plan,
        warnings,
      }: CollectionAnswer) => ({
        plan,
        results: neighbors.map(({ media, ...neighbor }, i) => ({
          ...neighbor,
          relevance: relevance?.[i],
          media_url: addresses.of(name, { id: neighbor.id, media }),
        })),
        next_cursor: nextCursor,
        warnings,
      });
      const shared = { model: model ?? null, space };
      if (body.queries === undefined)
        return c.json({
          path: answers[0].path,
          ...shared,
          ...resultsOf(answers[0]),
        } satisfies SearchAnswer);
      const [{ path }] = answers;
      const samePath = answers.every((answer) => answer.path.join() === path.join());
      return c.json({
        path: samePath ? path : null,
        ...shared,
        answers: answers.map((answer) => ({ path: answer.path, ...resultsOf(answer) })),
      } satisfies SearchAnswers);
    },
  );
}

/** Settings beside `queries` apply to every query without its own. */
function queriesOf({ queries = [], ...shared }: SearchBody, most: number): QueryBody[] {
  if (queries.length > most) {
    const message =
      `Expected at most ${most} queries but received ` + `${queries.length} (option maxInputs)`;
    throw invalidInput("queries", message);
  }
  const other = ([...contents, "space", "query_modality", "cursor"] as const).find(
    (name) => shared[name] !== undefined,
  );
  if (other !== undefined) {
    throw invalidInput(other, `"${other}" belongs in one of the "queries"`);
  }
  return queries.map((query) => {
    const present = Object.entries(query).filter(([, value]) => value !== undefined);
    return { ...shared, ...Object.fromEntries(present) } as QueryBody;
  });
}

function queryOf(body: QueryBody, prefix: string, readerOf: MediaReader): CollectionQuery {
  const present = contents.filter((name) => body[name] !== undefined);
  if (present.length !== 1) {
    const received = present.length === 0 ? "none" : present.join(" and ");
    const message =
      'Expected one of "text", "image", "audio", "embedding" ' +
      `and "item_id" but received ${received}`;
    throw invalidInput(`${prefix}${present[1] ?? "text"}`, message);
  }
  const { image, audio } = body;
  return {
    text: body.text,
    image: image === undefined ? undefined : readerOf(image, "image"),
    audio: audio === undefined ? undefined : readerOf(audio, "audio"),
    embedding: embeddingOf(body, prefix),
    itemId: body.item_id,
    space: body.space,
    queryModality: body.query_modality,
    topK: body.top_k ?? 10,
    filter: body.filter,
    modality: body.modality,
    minSimilarity: body.min_similarity,
    minRelevance: body.min_relevance,
    recall: body.recall,
    centering: body.centering,
    cursor: body.cursor,
  };
}
