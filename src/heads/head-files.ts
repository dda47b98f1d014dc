import { type ProjectionHead, readHead, writeHead } from "../encoders/head.js";
import { headSpace } from "../encoders/head-space.js";
import { AppError } from "../errors.js";
import { readSafetensors, type SafeTensors, writeSafetensors } from "../math/safetensors.js";
import { type FewShotFile, readFewShot, writeFewShot } from "../training/few-shot-file.js";
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

/** The space of a projection's embeddings follows from its weights: who changes them changes it. */
export const spaceOfHead = (fromSpace: string, { a, b }: HeadFiles) =>
  headSpace(fromSpace, [a ?? new Uint8Array(), b ?? new Uint8Array()]);

/** @throws AppError `model_corrupt` when the files are not those the description was written for. */
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
 * A version as one file: safetensors whose arrays are named `FILE/ARRAY`, with the description and each file's own
 * metadata in its metadata.
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

/** @throws AppError `model_corrupt` for bytes that are no export. */
export function readExport(bytes: Uint8Array): {
  name: string;
  version: HeadVersion;
  files: HeadFiles;
} {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== format) throw notExport(`its format is "${metadata.format}"`);
  const version = HeadVersion.safeParse(parse(metadata.head));
  if (!version.success)
    throw notExport(`its description is wrong at "${version.error.issues[0].path.join(".")}"`);
  const files: HeadFiles = {};
  for (const file of headFileNames) {
    if (metadata[file] === undefined) continue;
    const own = Object.entries(tensors)
      .filter(([array]) => array.startsWith(`${file}/`))
      .map(([array, tensor]) => [array.slice(file.length + 1), tensor]);
    const said = parse(metadata[file]);
    if (typeof said !== "object" || said === null) throw notExport(`"${file}" has no metadata`);
    files[file] = writeSafetensors({
      tensors: Object.fromEntries(own),
      metadata: Object.fromEntries(
        Object.entries(said).map(([key, value]) => [key, String(value)]),
      ),
    });
  }
  readHeadFiles(version.data, files);
  return { name: metadata.name ?? "", version: version.data, files };
}

const format = "crossmodal-head-export";

function parse(json: string | undefined): unknown {
  try {
    return JSON.parse(json ?? "");
  } catch {
    throw notExport("its metadata is not JSON");
  }
}

const notExport = (why: string) =>
  new AppError("model_corrupt", `The file is no exported head: ${why}`);
