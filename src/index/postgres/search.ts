import type { Query, SearchResult } from "../query.js";
import { coreQueries, searchResult } from "../query-codec.js";
import type { SearchOptions } from "../vector-store.js";
import { answerQueries } from "./answer-queries.js";
import { getCollection } from "./collection-rows.js";
import type { Connections } from "./connections.js";
import { searchCopy } from "./copies/copy-search.js";
import type { ServerCopies } from "./copies/server-copies.js";
import { neighborsAtOnce, type ReadHits, readHits } from "./hits.js";
import { answerOf } from "./neighbors.js";
import type { ScanLimits } from "./search-plan.js";

/**
 * A filter without an index looks at every item; of more than these that may take longer than a
 * statement by itself is waited for.
 */
const maxFilteredDirectly = 250_000;
/** After a statement by itself had no answer: the next ones would be run twice as well. */
const directPauseMs = 10_000;

interface SearchParts {
  connections: Connections;
  copies: ServerCopies;
  limits: ScanLimits;
}

/**
 * Answers queries: one of a collection that this server has a copy of by a statement or two where
 * that is possible, others in a transaction.
 */
export async function search(
  parts: SearchParts,
  name: string,
  queries: readonly Query[],
  options: SearchOptions,
): Promise<SearchResult[]> {
  const { connections, copies, limits } = parts;
  const direct =
    queries.length === 1 ? await searchDirectly(parts, name, queries[0], options) : undefined;
  if (direct?.result !== undefined) return [direct.result];
  const copiesOfServer = { copies, moment: copies.moment, exceptOf: direct?.cannotAnswer };
  const { space, signal, maxAnswerBytes: maxBytes } = options;
  return connections.readAnywhere(
    async (db) => {
      const collection = await getCollection(db, name, { space });
      const checked = coreQueries(queries, collection.dimensions);
      const means = { limits, copiesOfServer, maxBytes };
      const results = await answerQueries(db, collection, checked, means);
      copies.of(collection.n)?.names.add(name);
      return results.map((result, i) => searchResult(result, checked[i]));
    },
    { signal },
  );
}

/** What a copy gave by itself; neither where only a transaction can answer, or say why not. */
interface Direct {
  result?: SearchResult;
  /** Number of the collection whose copy was asked and cannot answer: it is not asked again. */
  cannotAnswer?: number;
}

/**
 * The answer of the copy of a collection that had this name when it was last searched. The very
 * statement that answers says whether it still has.
 */
async function searchDirectly(
  { connections, copies, limits }: SearchParts,
  name: string,
  asked: Query,
  { space, signal, maxAnswerBytes: maxBytes = Number.POSITIVE_INFINITY }: SearchOptions,
): Promise<Direct> {
  const copy = copies.named(name);
  if (copy === undefined || (space ?? copy.collection.space) !== copy.collection.space) return {};
  if (performance.now() < copy.directFrom) return {};
  if (asked.filter !== undefined && copy.rows > maxFilteredDirectly) return {};
  const { n, dimensions } = copy.collection;
  const query = queryFor(asked, dimensions);
  if (query === undefined) return {};
  const { topK } = query;
  let needsTransaction = false;
  const read: ReadHits = async (statement, history) => {
    const answer = await connections.readAtOnce(
      async (db) => ({ rows: await readHits(db, { n, topK, name }, statement, history) }),
      { signal },
    );
    if (answer === undefined) copy.directFrom = performance.now() + directPauseMs;
    else if (answer.rows === undefined || answer.rows[0].named) return answer.rows;
    else copy.names.delete(name);
    needsTransaction = true;
    return undefined;
  };
  const means = { copies, moment: copies.moment, ...limits };
  const found = await searchCopy(read, { n }, query, means);
  if (found === undefined) return needsTransaction ? {} : { cannotAnswer: n };
  const answer = await answerOf(found, { topK, maxBytes }, async (hits) => hits);
  return { result: searchResult(answer, query) };
}

/** A query that a copy may answer by itself, in the form that drivers answer. */
function queryFor(asked: Query, dimensions: number) {
  const { embedding, centering, cursor, recall, topK } = asked;
  const isOther = centering !== undefined || cursor !== undefined || recall === "exact";
  if (embedding === undefined || isOther || topK > neighborsAtOnce) return undefined;
  try {
    const [query] = coreQueries([asked], dimensions);
    return { ...query, vector: query.embedding as Float32Array };
  } catch {
    return undefined; // or it is of a collection that has taken the name
  }
}
