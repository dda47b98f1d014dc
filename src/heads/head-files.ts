import { z } from "zod";
import { type ProjectionHead, readHead, writeHead } from "../encoders/head.js";
import { headSpace } from "../encoders/head-space.js";
import { AppError } from "../errors.js";
import { readSafetensors, type SafeTensors, writeSafetensors } from "../math/safetensors.js";
import { type FewShotFile, readFewShot, writeFewShot } from "../training/few-shot-file.js";
import { parseBoundedJson } from "./bounded-json.js";
import { HeadVersion } from "./head-version.js";

/** A version's weight files by name: `a` and `b`, or `adapter`. */
export type HeadFiles = Partial<Record<"a" | "b" | "adapter", Uint8Array>>;
export const headFileNames = ["a", "b", "adapter"] as const;

export interface HeadWeights {
  a?: ProjectionHead;
  b?: ProjectionHead;
  fewShot?: FewShotFile;
}

export function writeHeadFiles({ a, b, fewShot }: HeadWeights): HeadFiles {
  return {
    ...(a && { a: writeHead(a) }),
    ...(b && { b: writeHead(b) }),
    ...(fewShot && { adapter: writeFewShot(fewShot) }),
  };
}

/**
 * The space of a projection's embeddings follows from its weights: changed weights are another
 * space.
 */
export const spaceOfHead = (fromSpace: string, { a, b }: HeadFiles) =>
  headSpace(fromSpace, [a ?? new Uint8Array(), b ?? new Uint8Array()]);

/**
 * @throws AppError `model_corrupt` when the files do not match the description.
 */
export function readHeadFiles(version: HeadVersion, files: HeadFiles): HeadWeights {
  const corrupt = (why: string) =>
    new AppError("model_corrupt", `The head's files cannot be used: ${why}`);
  if (version.kind !== "projection") {
    if (files.adapter === undefined) throw corrupt("its adapter is missing");
    return { fewShot: readFewShot(files.adapter) };
  }
  if (files.a === undefined && files.b === undefined) throw corrupt("its weights are missing");
  if (spaceOfHead(version.fromSpace, files) !== version.space)
    throw corrupt("its weights are not those of its space");
  return { ...(files.a && { a: readHead(files.a) }), ...(files.b && { b: readHead(files.b) }) };
}

/**
 * A version as one file: safetensors whose arrays are named `FILE/ARRAY`, with the description and
 * each file's own metadata in its metadata.
 */
export function writeExport(name: string, version: HeadVersion, files: HeadFiles): Uint8Array {
  const tensors: SafeTensors["tensors"] = {};
  const metadata: Record<string, string> = { format, name, head: JSON.stringify(version) };
  for (const [file, bytes] of Object.entries(files)) {
    const part = readSafetensors(bytes);
    metadata[file] = JSON.stringify(part.metadata);
    for (const [array, tensor] of Object.entries(part.tensors))
      tensors[`${file}/${array}`] = tensor;
  }
  return writeSafetensors({ tensors, metadata });
}

/** A version read by `readExport`. */
export interface ExportedHead {
  name: string;
  version: HeadVersion;
  files: HeadFiles;
  weights: HeadWeights;
}

/**
 * @throws AppError `model_corrupt` for bytes that are not an export. The report is always small and
 *   flat and its numbers are finite; `checkImported` checks whether it fits a model.
 */
export function readExport(bytes: Uint8Array): ExportedHead {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== format) throw notExport(`its format is "${metadata.format}"`);
  const version = HeadVersion.safeParse(
    parseBoundedJson(metadata.head ?? "", "The description of the head", limits),
  );
  if (!version.success)
    throw notExport(`its description is invalid at "${version.error.issues[0].path.join(".")}"`);
  const files: HeadFiles = {};
  for (const file of headFileNames) {
    if (metadata[file] === undefined) continue;
    const ofArrays = Object.entries(tensors)
      .filter(([array]) => array.startsWith(`${file}/`))
      .map(([array, tensor]) => [array.slice(file.length + 1), tensor]);
    const ofFile = FileMetadata.safeParse(
      parseBoundedJson(metadata[file], `The metadata of "${file}"`, metadataLimits),
    );
    if (!ofFile.success) throw notExport(`the metadata of "${file}" are not strings by name`);
    files[file] = writeSafetensors({
      tensors: Object.fromEntries(ofArrays),
      metadata: ofFile.data,
    });
  }
  const weights = readHeadFiles(version.data, files);
  return { name: metadata.name ?? "", version: version.data, files, weights };
}

const format = "crossmodal-head-export";

/** For a head.json: a report of 10,000 epochs and 200,000 excluded pairs stays below. */
const limits = {
  maxCharacters: 8 * 2 ** 20,
  maxDepth: 10,
  maxValues: 500_000,
  maxStringCharacters: 10_000,
};
/** For a file's metadata, strings by name: `labels` is JSON with all labels. */
const metadataLimits = { ...limits, maxDepth: 1, maxStringCharacters: limits.maxCharacters };
const FileMetadata = z.record(z.string(), z.string());

const notExport = (why: string) =>
  new AppError("model_corrupt", `The file is not an exported head: ${why}`);
