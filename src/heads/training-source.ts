import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Modality } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { readSealed, writeSealed } from "../files/sealed-file.js";
import { readNpy, writeNpy } from "../math/npy.js";
import { type Rows, rowCount } from "../math/rows.js";

/**
 * Where a run's embeddings come from, as stored in the job's folder: plain JSON and files, so that
 * a job resumed in another process finds everything.
 */

const modality = z.enum(["text", "image", "audio"]);

/**
 * One side of the pairs as received: texts, or the lengths of files concatenated in
 * `media-SIDE.bin`.
 */
export const Column = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("texts"), modality: z.literal("text"), texts: z.array(z.string()) }),
  z.object({
    kind: z.literal("media"),
    modality: z.enum(["image", "audio"]),
    lengths: z.array(z.int().nonnegative()),
  }),
]);
export type Column = z.infer<typeof Column>;

export const TrainingSource = z.discriminatedUnion("kind", [
  /** Rows in `a.npy` and `b.npy`. */
  z.object({
    kind: z.literal("embeddings"),
    sides: z.object({ a: modality, b: modality.optional() }),
  }),
  /**
   * Inputs that the model must embed. `field` is the request's field, for errors: `pairs` or
   * `items`.
   */
  z.object({
    kind: z.literal("media"),
    field: z.string(),
    a: Column,
    b: Column.optional(),
    ids: z.array(z.string()).optional(),
  }),
  z.object({ kind: z.literal("collection"), collection: z.string(), by: z.string() }),
]);
export type TrainingSource = z.infer<typeof TrainingSource>;

export const countOf = (column: Column) =>
  column.kind === "texts" ? column.texts.length : column.lengths.length;

/** The files of a column, in order, without holding them all. */
export async function* mediaOf(
  folder: string,
  side: "a" | "b",
  lengths: readonly number[],
): AsyncIterable<Uint8Array> {
  let from = 0;
  for (const length of lengths) {
    const parts: Buffer[] = [];
    if (length > 0) {
      const stream = createReadStream(join(folder, `media-${side}.bin`), {
        start: from,
        end: from + length - 1,
      });
      for await (const part of stream) parts.push(part as Buffer);
    }
    from += length;
    yield Buffer.concat(parts);
  }
}

export const npyOf = (rows: Rows): Uint8Array =>
  writeNpy({ shape: [rowCount(rows), rows.dimensions], data: rows.values });

/** Rows that a job was created with. */
export const readRowsFile = async (path: string) => rowsIn(await readFile(path));

/** Rows that a job has made itself, by `keepRows`. @throws AppError `storage_corrupt`. */
export const keptRows = async (path: string) => rowsIn(await readSealed(path));

export const keepRows = (path: string, rows: Rows) => writeSealed(path, npyOf(rows));

function rowsIn(bytes: Uint8Array): Rows {
  const { shape, data } = readNpy(bytes);
  return {
    values: data instanceof Float32Array ? data : Float32Array.from(data),
    dimensions: shape[1],
  };
}

/**
 * Embeddings of a job belong to the weights that made them.
 * @throws AppError `space_mismatch` when the model's weights have changed.
 */
export function checkSpace(
  { manifest, space }: { manifest: { id: string }; space: string },
  jobSpace: string,
): void {
  if (space === jobSpace) return;
  const message =
    `The job was made for the space ${jobSpace}, but "${manifest.id}" now embeds into ${space}: ` +
    "start " +
    "another job";
  throw new AppError("space_mismatch", message, { param: "model" });
}

/** The model's modality besides text: the default of a side. */
export const mediaModality = (encoders: Partial<Record<Modality, unknown>>): Modality =>
  encoders.image !== undefined ? "image" : encoders.audio !== undefined ? "audio" : "text";
