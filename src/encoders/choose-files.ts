import { createHash } from "node:crypto";
import { AppError } from "../errors.js";
import type { Modality } from "./encoder.js";
import { type DataType, type GraphFile, type Manifest, modalities } from "./manifest.js";

const exactness: readonly DataType[] = ["fp32", "fp16", "int8", "q4"];

/** The data type and graph of each tower that is loaded. */
export type Chosen = [Modality, { dtype: DataType; file: GraphFile }][];

/**
 * The graph of each tower, in the wanted data type.
 * @throws AppError `model_not_found` when a tower lacks it.
 */
export function chooseFiles(manifest: Manifest, wanted: DataType | "auto"): Chosen {
  return modalities.flatMap((modality): Chosen => {
    const files = manifest.towers[modality]?.files;
    if (files === undefined) return [];
    const available = exactness.filter((dtype) => files[dtype] !== undefined);
    const dtype = wanted === "auto" ? available[0] : wanted;
    const file = files[dtype];
    if (file !== undefined) return [[modality, { dtype, file }]];
    const { id, source, revision } = manifest;
    const advice = /^[0-9a-f]{40}$/.test(revision)
      ? `; more with: crossmodal models pull ${source} --id ${id} --dtype`
      : "";
    const message =
      `The ${modality} tower of "${id}" is not installed as ${dtype}; available: ` +
      `${available.join(", ")}${advice}`;
    throw new AppError("model_not_found", message, { param: "dtype" });
  });
}

/** `<id>@<8 hex>`: everything that decides a vector of this pack, hashed. */
export function spaceOf(manifest: Manifest, chosen: Chosen): string {
  const parts = chosen.map(([modality, { file }]) => {
    const { preprocess, head, outputs } = manifest.towers[modality]!;
    return [modality, weightsOf(file), preprocess, head?.sha256, outputs];
  });
  return `${manifest.id}@${fingerprint(parts).slice(0, 8)}`;
}

/** What identifies a graph's weights: its hash, and those of its external data files. */
export const weightsOf = ({ sha256, data }: GraphFile) =>
  data === undefined ? sha256 : [sha256, ...data.map((file) => file.sha256)];

export const fingerprint = (value: unknown) =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex");
