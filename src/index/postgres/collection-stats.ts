import type { CollectionStats } from "../vector-store.js";
import { aliasesOf, type CollectionRow } from "./collection-rows.js";
import type { Connection } from "./connections.js";
import { countsByModality } from "./modality-means.js";

export async function collectionStats(
  db: Connection,
  { n, graph, ...row }: CollectionRow,
): Promise<CollectionStats> {
  const countByModality = await countsByModality(db, n);
  const count = Object.values(countByModality).reduce((sum, one) => sum + one, 0);
  const { rows } = await db.query(
    `select count(*) as waiting from crossmodal.vectors_${n} where tail`,
  );
  const indexed = graph === "ready" ? count - rows[0].waiting : 0;
  const { name, space, dimensions, fields, options, createdAt } = row;
  return {
    ...{ name, space, dimensions, fields, options, createdAt, count, countByModality },
    aliases: await aliasesOf(db, n),
    index: { engine: "pgvector", state: graph, indexed },
  };
}
