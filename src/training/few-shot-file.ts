import { AppError } from "../errors.js";
import { readSafetensors, writeSafetensors } from "../math/safetensors.js";
import type { CacheAdapter, LinearProbe } from "./few-shot.js";

export interface FewShotFile {
  adapter: CacheAdapter | LinearProbe;
  /** The classes' names, in order. */
  labels: string[];
}

/**
 * A few-shot adapter's file: safetensors with the metadata `format` = "crossmodal-few-shot", `kind`
 * and `labels`.
 */
export function writeFewShot({ adapter, labels }: FewShotFile): Uint8Array {
  const metadata = {
    format: "crossmodal-few-shot",
    kind: adapter.kind,
    labels: JSON.stringify(labels),
  };
  const { dimensions, classes } = adapter;
  if (adapter.kind === "probe") {
    const { weights, bias } = adapter;
    return writeSafetensors({
      tensors: {
        weight: { shape: [classes, dimensions], data: weights },
        bias: { shape: [classes], data: bias },
      },
      metadata,
    });
  }
  const count = adapter.labels.length;
  return writeSafetensors({
    tensors: {
      keys: { shape: [count, dimensions], data: adapter.values },
      classes: { shape: [count], data: Float32Array.from(adapter.labels) },
    },
    metadata: { ...metadata, alpha: String(adapter.alpha), beta: String(adapter.beta) },
  });
}

/**
 * @throws AppError `model_corrupt` for bytes that are not such a file, naming the part at fault.
 */
export function readFewShot(bytes: Uint8Array): FewShotFile {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== "crossmodal-few-shot")
    throw corrupt(`its format is "${metadata.format}"`);
  let labels: unknown;
  try {
    labels = JSON.parse(metadata.labels);
  } catch {
    throw corrupt("its labels are not JSON");
  }
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === "string")) {
    throw corrupt("its labels are not a list of names");
  }
  if (new Set(labels).size < labels.length) throw corrupt("a label appears twice");
  const classes = labels.length;
  const isProbe = metadata.kind === "probe";
  if (!isProbe && metadata.kind !== "cache") throw corrupt(`its kind is "${metadata.kind}"`);
  const main = tensors[isProbe ? "weight" : "keys"];
  const perRow = tensors[isProbe ? "bias" : "classes"];
  if (
    main?.shape.length !== 2 ||
    perRow?.shape.length !== 1 ||
    perRow.shape[0] !== main.shape[0] ||
    main.data.length === 0
  )
    throw corrupt("its arrays do not match");
  const [count, dimensions] = main.shape;
  if (isProbe) {
    if (count !== classes) throw corrupt(`it has ${count} classes and ${classes} labels`);
    return {
      adapter: { kind: "probe", dimensions, classes, weights: main.data, bias: perRow.data },
      labels,
    };
  }
  const [alpha, beta] = [numberOf(metadata, "alpha"), numberOf(metadata, "beta")];
  const wrong = perRow.data.find((at) => !(Number.isInteger(at) && at >= 0 && at < classes));
  if (wrong !== undefined)
    throw corrupt(`"classes" holds ${wrong}; expected whole numbers below ${classes}`);
  const ofItems = Int32Array.from(perRow.data);
  return {
    adapter: {
      kind: "cache",
      values: main.data,
      dimensions,
      labels: ofItems,
      classes,
      alpha,
      beta,
    },
    labels,
  };
}

/**
 * Fits choose alpha up to 100 and beta up to 50; votes of thousands of items stay finite far
 * beyond.
 */
const maxFactor = 1e6;

function numberOf(metadata: Record<string, string>, name: "alpha" | "beta"): number {
  const value = metadata[name] === "" ? Number.NaN : Number(metadata[name]);
  if (value >= 0 && value <= maxFactor) return value;
  throw corrupt(`"${name}" is ${metadata[name]}; expected a number from 0 to ${maxFactor}`);
}

const corrupt = (why: string) =>
  new AppError("model_corrupt", `The few-shot file cannot be used: ${why}`);
