import { exactly, type Found, type ReadHits } from "../hits.js";
import { type PlannedQuery, rankNominated, scanMatches } from "../search-statements.js";
import type { CollectionCopy } from "./collection-copy.js";
import type { ServerCopies } from "./server-copies.js";
import { knownChanges } from "./vector-log.js";

/** The copies, and a moment before the search reads anything of the database. */
export interface CopiesOfServer {
  copies: ServerCopies;
  moment: number;
  /** Number of a collection whose copy was asked already and cannot answer. */
  exceptOf?: number;
}

/** More than that are compared with for every search: the copy has to catch up first. */
const maxChanged = 2000;
/** A filter or a modality that leaves no more than this share is answered by comparing with it. */
const selectiveShare = 0.02;
const fewMatches = 2000;
/** The share of the items that fulfil a filter is taken for this at least, at first. */
const leastShare = 0.1;

/**
 * The nearest by the copy of this server: 8 bits nominate, float32 decides, in the state that the
 * statement sees. What has changed between the copy and that state is compared with. Of a filter
 * that leaves few items, those are compared with instead.
 * @returns undefined when there is no copy, or it cannot answer; the exact answer otherwise, but
 *   for a miss that takes a rounding error of six standard deviations.
 */
export async function searchCopy(
  read: ReadHits,
  { n }: { n: number },
  query: PlannedQuery,
  { copies, moment, exceptOf, scanMatchesUpTo }: CopiesOfServer & { scanMatchesUpTo: number },
): Promise<Found | undefined> {
  const copy = n === exceptOf ? undefined : copies.of(n);
  if (copy === undefined) return undefined;
  const few = Math.max(
    Math.min(scanMatchesUpTo, fewMatches),
    Math.floor(selectiveShare * copy.rows),
  );
  const { filter, modality } = query;
  if (filter !== undefined) {
    const rows = await read(scanMatches(n, query, few));
    if (rows === undefined || rows[0].matches <= few) return rows && exactly(rows);
  } else if (modality !== undefined && copy.countOf(modality) <= few) return undefined;
  const hits = await nearest(read, query, { copies, copy, moment });
  return hits && { hits, plan: "scan" };
}

async function nearest(
  read: ReadHits,
  query: PlannedQuery,
  { copies, copy, moment }: CopiesOfServer & { copy: CollectionCopy },
) {
  const position = copy.positionAt(moment);
  if (position === undefined) return undefined;
  const { vector, topK, modality, minSimilarity, filter, self } = query;
  const wanted = topK + (self === undefined ? 0 : 1);
  let k = filter === undefined ? wanted : Math.ceil(wanted / leastShare);
  for (let except: number[] = []; ; k *= 4) {
    const nominated = await copies.nominate(copy, { vector, k, modality, minSimilarity, except });
    if (nominated === undefined) return undefined;
    // Also of the steps until now: the copy may have gone on while it was asked.
    const seqs = new Set([...nominated.seqs, ...except, ...copy.changedSince(moment)]);
    const statement = rankNominated(
      copy.n,
      query,
      { seqs, snapshot: position.snapshot },
      maxChanged,
    );
    const rows = await read(statement, position.history);
    if (rows === undefined) return undefined;
    const changed = knownChanges(rows[0].changed ?? [], maxChanged);
    if (changed === undefined || changed.length > 0) copies.refresh(copy);
    if (changed === undefined) return undefined;
    const hits = rows.filter(({ seq }) => seq !== null);
    const { bound } = nominated;
    const isWhole =
      bound <= (minSimilarity ?? Number.NEGATIVE_INFINITY) ||
      (hits.length === topK && hits[topK - 1].similarity > bound);
    if (isWhole) return hits;
    except = changed;
  }
}
