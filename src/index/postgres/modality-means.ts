import type { Modality } from "../../encoders/encoder.js";
import { modalities } from "../modalities.js";
import type { Connection } from "./connections.js";

/** How many items of each modality, in the order of the modalities; only those with any. */
export async function countsByModality(
  db: Connection,
  n: number,
): Promise<Partial<Record<Modality, number>>> {
  const { rows } = await db.query(
    `select modality, sum(count)::bigint as count from crossmodal.mean_deltas where n = $1
     group by modality having sum(count) > 0 order by modality`,
    [n],
  );
  return Object.fromEntries(rows.map(({ modality, count }) => [modalities[modality], count]));
}

/** The mean embedding of each modality that has items, by its number. */
export async function readMeans(db: Connection, n: number): Promise<Map<number, Float64Array>> {
  const { rows } = await db.query(
    `select modality, sum(count)::bigint as count, array_agg(sums) as sums
     from crossmodal.mean_deltas where n = $1
     group by modality having sum(count) > 0 order by modality`,
    [n],
  );
  return new Map(
    rows.map(({ modality, count, sums }) => {
      const mean = new Float64Array(sums[0].length);
      for (const sum of sums) for (let i = 0; i < mean.length; i++) mean[i] += sum[i] / count;
      return [modality, mean];
    }),
  );
}

/** Adds the changes up into one row per modality. Readers see the same sums before and after. */
export async function foldDeltas(db: Connection, n: number): Promise<void> {
  await db.query(
    `with old as (delete from crossmodal.mean_deltas where n = $1 returning modality, count, sums),
     numbers as (
       select modality, o, sum(x) as x from old, unnest(sums) with ordinality u (x, o)
       group by modality, o
     )
     insert into crossmodal.mean_deltas (n, modality, count, sums)
     select $1, modality, c.count, (
       select array_agg(x order by o) from numbers where numbers.modality = c.modality
     ) from (select modality, sum(count)::bigint as count from old group by modality) c
     where c.count > 0`,
    [n],
  );
}

/**
 * Sums every embedding again, so that rounding errors do not accumulate over years. The caller
 * keeps writers out.
 */
export async function recomputeMeans(db: Connection, n: number): Promise<void> {
  await db.query("delete from crossmodal.mean_deltas where n = $1", [n]);
  await db.query(
    `insert into crossmodal.mean_deltas (n, modality, count, sums)
     select $1, modality, s[1]::bigint, s[2:] from (
       select modality, crossmodal.vector_sums(embedding) as s from crossmodal.vectors_${n}
       group by modality
     ) sums`,
    [n],
  );
}
