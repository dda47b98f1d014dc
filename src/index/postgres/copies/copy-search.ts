import type { Connection } from "../connections.js";
import { type PlannedQuery, rankRows } from "../search-statements.js";
import type { ServerCopies } from "./server-copies.js";
import { changedSince } from "./vector-log.js";

/** More than that are compared with for every search: the copy has to catch up first. */
const maxChanged = 2000;
/** The least share of the items that fulfil a filter which is answered by the copy. */
const leastShare = 0.1;

/** The copies, and a moment before the transaction of the search began. */
export interface CopiesOfServer {
  copies: ServerCopies;
  moment: number;
}

/**
 * The nearest by the copy of this server: 8 bits nominate, float32 decides, in the state that the
 * caller's transaction sees. What has changed between the copy and that state is compared with.
 * @returns undefined when there is no copy, or it cannot answer; the exact answer otherwise, but
 *   for a miss that takes a rounding error of six standard deviations.
 */
export async function searchCopy(
  db: Connection,
  { n }: { n: number },
  query: PlannedQuery,
  { copies, moment }: CopiesOfServer,
): Promise<{ seq: number; similarity: number }[] | undefined> {
  const copy = copies.of(n);
  const position = copy?.positionAt(moment);
  if (copy === undefined || position === undefined) return undefined;
  const { vector, topK, modality, minSimilarity, filter, self } = query;
  const wanted = topK + (self === undefined ? 0 : 1);
  let k = filter === undefined ? wanted : Math.ceil(wanted / leastShare);
  const ask = (except: readonly number[]) =>
    copies.nominate(copy, { vector, k, modality, minSimilarity, except });
  // At once, as mostly nothing has changed.
  const asked = ask([]);
  const changed = await changedSince(db, n, position, maxChanged);
  if (changed === undefined || changed.length > 0) copies.refresh(copy);
  if (changed === undefined) return undefined;
  for (let nominated = await asked; ; nominated = await ask(changed)) {
    if (nominated === undefined) return undefined;
    // The steps until now: the copy may have gone on while it was asked.
    const seqs = new Set([...nominated.seqs, ...changed, ...copy.changedSince(moment)]);
    const { rows } = await db.query(rankRows(n, query, [...seqs]));
    const { bound } = nominated;
    const isWhole =
      bound <= (minSimilarity ?? Number.NEGATIVE_INFINITY) ||
      (rows.length === topK && rows[topK - 1].similarity > bound);
    if (isWhole) return rows;
    k *= 4;
  }
}
