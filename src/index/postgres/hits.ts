import type { CoreResult } from "../core-query.js";
import type { Connection } from "./connections.js";
import { historyOf } from "./history.js";
import { joinedMedia, mediaColumns } from "./media.js";
import type { Statement } from "./search-statements.js";

/** What a search has found, best first. */
export interface Found {
  hits: Hit[];
  plan: CoreResult["plan"];
}

/** A row of a statement of search-statements.ts, with what `withItems` adds if it was used. */
export interface Hit {
  seq: number;
  similarity: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a statement gives
  [column: string]: any;
}

/** So many are read together with what else a statement does, or in one piece. */
export const neighborsAtOnce = 100;

const itemColumns = `i.id, i.modality, i.metadata::text, i.source, i.text, ${mediaColumns}`;

/**
 * Runs a statement of search-statements.ts: in a transaction, or by itself.
 * @param history  of the database (copies/vector-log.ts), where the statement is only of use in it.
 * @returns undefined where this way cannot answer.
 */
export type ReadHits = (statement: Statement, history?: string) => Promise<Hit[] | undefined>;

/** Of a statement that has a row, without `seq`, also where it finds nothing. */
export const exactly = (rows: Hit[]): Found => ({
  hits: rows.filter(({ seq }) => seq !== null),
  plan: "exact",
});

/** With the items of the hits, where these are not many. */
export async function readHits(
  db: Connection,
  { n, topK, name }: { n: number; topK: number; name?: string },
  statement: Statement,
  history?: string,
): Promise<Hit[] | undefined> {
  if (history !== undefined && (await historyOf(db)) !== history) return undefined;
  const whole = topK <= neighborsAtOnce ? withItems(n, statement, name) : statement;
  return (await db.query(whole)).rows;
}

/**
 * The same rows with what an answer tells of their items.
 * @param name  of the collection: then they also have `named`, whether it has this name.
 */
function withItems(n: number, statement: Statement, name?: string): Statement {
  const values = [...statement.values];
  const named =
    name === undefined
      ? ""
      : `, (select n = ${n} from crossmodal.names where name = $${values.push(name)}) as named`;
  const text = `select best.*, ${itemColumns}${named} from (${statement.text}) best
    left join crossmodal.items_${n} i on i.seq = best.seq ${joinedMedia(n)}
    order by best.similarity desc, best.seq`;
  const prepared = statement.name && `${statement.name}_items${name === undefined ? "" : "_named"}`;
  return { name: prepared, text, values };
}

/** Of hits that a statement without `withItems` gave, in the caller's transaction. */
export async function readItems(db: Connection, n: number, hits: Hit[]): Promise<Hit[]> {
  const wanted = "unnest($1::bigint[], $2::float8[])";
  const ranked = `select seq, similarity from ${wanted} wanted (seq, similarity)`;
  const values = [hits.map(({ seq }) => seq), hits.map(({ similarity }) => similarity)];
  return (await db.query(withItems(n, { text: ranked, values }))).rows;
}
