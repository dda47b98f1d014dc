import type { Modality } from "../encoders/encoder.js";
import { invalidInput } from "../errors.js";
import { countOf, npyOf, type TrainingSource } from "../heads/training-source.js";
import { type Rows, rowCount, unitRows } from "../math/rows.js";
import type { TrainBody } from "../wire/training.js";
import type { Columns } from "./read-columns.js";
import { readRows } from "./read-rows.js";

/** The request's training data, for the job's folder. */
export interface Material {
  source: TrainingSource;
  labels?: string[];
  files: Record<string, Uint8Array>;
  /** Rows of the request, for checks before the job. */
  rows?: { a: Rows; b?: Rows };
}

export const fromColumns = ({ a, b, labels, ids, files }: Columns, field: string): Material => ({
  source: { kind: "media", field, a, b, ids },
  labels,
  files,
});

/**
 * A collection by name, or rows: within `pairs` or `items` in JSON, as the files `a` and `b` in a
 * form.
 */
export function fromBody(body: TrainBody, field: "pairs" | "items", media: Modality): Material {
  const material = body[field];
  if (material !== undefined && "collection" in material)
    return { source: { kind: "collection", ...material }, files: {} };
  const inside =
    material !== undefined && "embeddings" in material ? material.embeddings : undefined;
  if (field === "items") {
    const ofItems = inside as TrainBody["a"];
    const rows = ofItems ?? body.a;
    if (rows === undefined)
      throw invalidInput(
        "items",
        '"items" is missing; expected items, or a .npy file as "a" with "labels"',
      );
    const a = embeddings(rows, ofItems === undefined ? "a" : "items.embeddings");
    const modality =
      material !== undefined && "modality" in material ? material.modality : body.a_modality;
    return {
      source: { kind: "embeddings", sides: { a: modality ?? media } },
      files: { "a.npy": npyOf(a) },
      rows: { a },
    };
  }
  const within = inside as Pick<TrainBody, "a" | "b" | "a_modality" | "b_modality"> | undefined;
  const both = within ?? body;
  const at = within === undefined ? "" : "pairs.embeddings.";
  if (both.a === undefined && both.b === undefined) {
    throw invalidInput("pairs", '"pairs" is missing; expected pairs, or .npy files as "a" and "b"');
  }
  for (const side of ["a", "b"] as const)
    if (both[side] === undefined)
      throw invalidInput(side, `"${side}" is missing; expected a .npy file`);
  const [a, b] = [embeddings(both.a!, `${at}a`), embeddings(both.b!, `${at}b`)];
  const sides = { a: both.a_modality ?? media, b: both.b_modality ?? ("text" as const) };
  if (sides.a === sides.b)
    throw invalidInput(`${at}b_modality`, `Expected two modalities but both sides are ${sides.a}`);
  return {
    source: { kind: "embeddings", sides },
    files: { "a.npy": npyOf(a), "b.npy": npyOf(b) },
    rows: { a, b },
  };
}

/** @param param  `labels` or `groups`: one for each row. */
export function checkLabels(
  labels: readonly string[] | undefined,
  { source, rows }: Material,
  param: "labels" | "groups" = "labels",
): void {
  if (labels === undefined) return;
  if (source.kind === "collection")
    throw invalidInput(
      param,
      param === "labels"
        ? 'A collection has its labels in the field "by"'
        : '"groups" are for items of the request, not for those of a collection',
    );
  const count = source.kind === "media" ? countOf(source.a) : rowCount(rows!.a);
  if (labels.length !== count) {
    throw invalidInput(
      param,
      `Expected ${count} ${param}, one for each row, but received ${labels.length}`,
    );
  }
}

/** Checks rows of embeddings and brings them to unit length. */
export const embeddings = (value: NonNullable<TrainBody["a"]>, param: string): Rows =>
  unitRows(readRows(value, param), param);
