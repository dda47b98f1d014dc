import { z } from "zod";
import type { Rows } from "../math/rows.js";
import { CalibrationReport } from "../wire/calibrations.js";

/** `calibration.json` of a version: everything except the background's embeddings. */
export const CalibrationFile = z.object({
  formatVersion: z.literal(1),
  /** Id of the model whose texts it is compared with. */
  model: z.string(),
  /** The space of its embeddings: it cannot be used in another one. */
  space: z.string(),
  modality: z.enum(["image", "audio"]),
  createdAt: z.string(),
  collection: z.string(),
  by: z.string().optional(),
  job: z.string(),
  /** Items that it was made from. */
  items: z.int(),
  /** Of each background row, in order; null where it has none. */
  backgroundLabels: z.array(z.string().nullable()),
  logistic: z.object({ slope: z.number(), offset: z.number() }).optional(),
  report: CalibrationReport.nullable(),
});
export type CalibrationFile = z.infer<typeof CalibrationFile>;

/** A version with its background, ready for use. */
export interface Calibration extends CalibrationFile {
  name: string;
  version: number;
  /** [N, D] */
  background: Rows;
}

/** The different labels of the background, in alphabetical order. */
export const labelsOf = ({ backgroundLabels }: Pick<CalibrationFile, "backgroundLabels">) =>
  [...new Set(backgroundLabels.filter((label) => label !== null))].sort();
