import type { Database, Statement } from "./sqlite.js";

/**
 * Running sums of a collection's embeddings, one per modality, kept in the same transaction as the
 * items.
 */
export class ModalityMeans {
  readonly #collection: number;
  readonly #dimensions: number;
  readonly #read: Statement;
  readonly #write: Statement;
  readonly #changed = new Map<number, { count: number; sum: Float64Array }>();

  /** Reads and writes inside the caller's transaction; nothing is written before `save`. */
  constructor(db: Database, collection: number, dimensions: number) {
    this.#collection = collection;
    this.#dimensions = dimensions;
    this.#read = db.prepare("SELECT count, sum FROM means WHERE collection = ? AND modality = ?");
    this.#write = db.prepare(
      "INSERT OR REPLACE INTO means (collection, modality, count, sum) VALUES (?, ?, ?, ?)",
    );
  }

  add(modality: number, embedding: Float32Array): void {
    this.#accumulate(modality, embedding, 1);
  }

  subtract(modality: number, embedding: Float32Array): void {
    this.#accumulate(modality, embedding, -1);
  }

  save(): void {
    for (const [modality, { count, sum }] of this.#changed) {
      if (count === 0) sum.fill(0); // drops accumulated rounding errors
      this.#write.run(this.#collection, modality, count, new Uint8Array(sum.buffer));
    }
    this.#changed.clear();
  }

  #accumulate(modality: number, embedding: Float32Array, sign: 1 | -1) {
    let mean = this.#changed.get(modality);
    if (mean === undefined) {
      mean = readMean(this.#read.get(this.#collection, modality)) ?? {
        count: 0,
        sum: new Float64Array(this.#dimensions),
      };
      this.#changed.set(modality, mean);
    }
    mean.count += sign;
    for (let i = 0; i < embedding.length; i++) mean.sum[i] += sign * embedding[i];
  }
}

/**
 * Recomputes a collection's sums, so that rounding errors do not accumulate over years.
 */
export function recomputeMeans(
  db: Database,
  embeddings: Iterable<{ modality: number; embedding: Float32Array }>,
  { collection, dimensions }: { collection: number; dimensions: number },
): void {
  db.prepare("DELETE FROM means WHERE collection = ?").run(collection);
  const means = new ModalityMeans(db, collection, dimensions);
  for (const { modality, embedding } of embeddings) means.add(modality, embedding);
  means.save();
}

/** Count and sum of each modality that the collection has items of. */
export function readMeans(
  db: Database,
  collection: number,
): Map<number, { count: number; sum: Float64Array }> {
  const rows = db
    .prepare("SELECT modality, count, sum FROM means WHERE collection = ? AND count > 0")
    .all(collection);
  return new Map(
    rows.map((row) => [
      row.modality as number,
      readMean(row) as { count: number; sum: Float64Array },
    ]),
  );
}

function readMean(row: { count: number; sum: Uint8Array } | undefined) {
  return row && { count: row.count, sum: new Float64Array(row.sum.slice().buffer) };
}
