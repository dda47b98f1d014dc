import { collectionByNumber, listCollections } from "./collection-rows.js";
import { tablesOf } from "./collection-tables.js";
import type { Connections } from "./connections.js";
import type { GraphUpkeep } from "./graph-upkeep.js";
import { recomputeMeans } from "./modality-means.js";

/** Recomputes the means, brings the graphs up to date and frees the space of removed items. */
export async function compact(connections: Connections, upkeep: GraphUpkeep): Promise<void> {
  const rows = await connections.read(listCollections);
  for (const { n } of rows) {
    await connections.write(async (db) => {
      const exists = (await collectionByNumber(db, n, "update")) !== undefined;
      if (exists) await recomputeMeans(db, n);
    });
    upkeep.schedule(n);
  }
  await upkeep.whenIndexed();
  for (const { n } of rows) {
    const tables = tablesOf(n);
    await connections.session(async (db) => {
      const { rows: found } = await db.query("select to_regclass($1) as there", [tables[0]]);
      if (found[0].there !== null) await db.query(`vacuum (analyze) ${tables.join(", ")}`);
    });
  }
}
