import { existsSync } from "node:fs";
import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataType, type GraphFile, Manifest, type PackFile } from "../encoders/manifest.js";
import { AppError } from "../errors.js";
import { families } from "./families/families.js";
import type { Family, HubConfigs } from "./families/family.js";
import { findGraph, graphNames, logitFile, type TowerName } from "./onnx-layout.js";
import { hashFile } from "./pack-files.js";

export interface InspectOptions {
  id: string;
  source: string;
  license?: string;
  /** The commit the files are from; `local` for a folder. */
  revision?: string;
  /** Paths of the graphs to take; all that the folder has when left out. */
  graphs?: readonly string[];
  /** The learned multiplier of the cosine and its bias: the public exports leave them out. */
  logitScale?: number;
  logitBias?: number;
}

/**
 * The manifest of a folder in the hub's ONNX layout: config.json, preprocessor_config.json, tokenizer.json,
 * tokenizer_config.json and onnx/*.onnx. Every constant comes from those files.
 *
 * The logit scale comes from `options`, else from a `logit.json` beside config.json (`logit_scale_exp` and `logit_bias`).
 * `logit_scale_init_value` of config.json is where training began, not what it learned, and is not used.
 *
 * @throws AppError `invalid_input` saying which file is missing or what in it is not known here.
 */
export async function inspectFolder(folder: string, options: InspectOptions): Promise<Manifest> {
  const { configs, family } = await readFamily(folder);
  const { logitScale, logitBias } = await logitOf(folder, options);
  const paths = options.graphs ?? (await pathsOf(folder));
  const towers: Record<string, unknown> = {};
  try {
    const text = await graphFiles(folder, paths, "text");
    const tokenizer = await describe(folder, "tokenizer.json");
    if (text !== undefined)
      towers.text = {
        files: text,
        outputs: family.outputs.text,
        preprocess: { ...family.text(configs), tokenizer },
      };
    for (const modality of ["image", "audio"] as const) {
      const files =
        family[modality] === undefined ? undefined : await graphFiles(folder, paths, modality);
      if (files !== undefined)
        towers[modality] = {
          files,
          outputs: family.outputs[modality],
          preprocess: family[modality]?.(configs),
        };
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new AppError("invalid_input", `${folder}: ${error.message}`, {
      param: "folder",
      cause: error,
    });
  }
  if (Object.keys(towers).length === 0) {
    const names = Object.values(graphNames).map((name) => `onnx/${name}.onnx`);
    throw new AppError("invalid_input", `${folder} holds none of ${names.join(", ")}`, {
      param: "folder",
    });
  }
  const result = Manifest.safeParse({
    manifestVersion: 1,
    id: options.id,
    family: family.family,
    revision: options.revision ?? "local",
    source: options.source,
    license: options.license ?? "unknown",
    dimensions: dimensionsOf(configs, family),
    logitScale,
    logitBias,
    activation: family.activation,
    promptTemplates: family.promptTemplates,
    towers,
  });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AppError(
    "invalid_input",
    `The manifest would be wrong at "${issue.path.join(".")}": ${issue.message}`,
    {
      param: issue.path[0] === "id" ? "id" : "folder",
    },
  );
}

/**
 * The configuration files of a folder, and the family they belong to.
 * @throws AppError `invalid_input`.
 */
export async function readFamily(folder: string): Promise<{ configs: HubConfigs; family: Family }> {
  const configs = await readConfigs(folder);
  const modelType = String(configs.config.model_type);
  const family = families[modelType];
  if (family !== undefined) return { configs, family };
  const known = Object.keys(families).join(", ");
  throw new AppError(
    "invalid_input",
    `The model type "${modelType}" is not known here (known: ${known})`,
    {
      param: "folder",
    },
  );
}

async function readConfigs(folder: string): Promise<HubConfigs> {
  const read = (name: string) => {
    const path = join(folder, name);
    if (!existsSync(path))
      throw new AppError("invalid_input", `${folder} has no ${name}`, { param: "folder" });
    return readObject(path);
  };
  return {
    config: await read("config.json"),
    preprocessor: await read("preprocessor_config.json"),
    tokenizerConfig: await read("tokenizer_config.json"),
    tokenizer: await read("tokenizer.json"),
  };
}

async function readObject(path: string): Promise<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new AppError("invalid_input", `${path} is not valid JSON`, {
      param: "folder",
      cause: error,
    });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new AppError("invalid_input", `${path}: Expected a JSON object`, { param: "folder" });
}

async function pathsOf(folder: string): Promise<string[]> {
  const names = existsSync(join(folder, "onnx")) ? await readdir(join(folder, "onnx")) : [];
  return names.map((name) => `onnx/${name}`);
}

/** The graphs of a tower by data type; undefined when there is none. */
async function graphFiles(folder: string, paths: readonly string[], tower: TowerName) {
  const files: Partial<Record<DataType, GraphFile>> = {};
  for (const dtype of DataType.options) {
    const found = findGraph(paths, tower, dtype);
    if (found === undefined) continue;
    await checkGraph(join(folder, found.graph));
    const data = await Promise.all(found.data.map((path) => describe(folder, path)));
    files[dtype] = {
      ...(await describe(folder, found.graph)),
      ...(data.length > 0 ? { data } : {}),
    };
  }
  return Object.keys(files).length === 0 ? undefined : files;
}

/** First bytes that a graph can have: the tags of ModelProto's fields (onnx.proto). Exporters begin with ir_version, 8. */
const graphTags = new Set([0x08, 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72]);

/** Refuses what a clone or a download left in a graph's place. Whether it runs is seen when it is loaded. */
async function checkGraph(path: string): Promise<void> {
  const head = await headOf(path).catch(unreadable(path));
  if (graphTags.has(head[0])) return;
  const isPointer = head.toString("latin1").startsWith("version https://git-lfs");
  const what = isPointer
    ? "a Git LFS pointer: fetch the file itself (git lfs pull)"
    : "no ONNX graph";
  throw new AppError("invalid_input", `${path} is ${what}`, { param: "folder" });
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(40), 0, 40, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function describe(folder: string, path: string): Promise<PackFile> {
  const full = join(folder, path);
  const [{ size }, sha256] = await Promise.all([stat(full), hashFile(full)]).catch(
    unreadable(full),
  );
  return { path, size, sha256 };
}

/** A link into a cache that was emptied, a folder, or what this user may not read. */
function unreadable(path: string): (cause: NodeJS.ErrnoException) => never {
  return (cause) => {
    throw new AppError("invalid_input", `${path} cannot be read (${cause.code})`, {
      param: "folder",
      cause,
    });
  };
}

function dimensionsOf({ config }: HubConfigs, family: Family): number {
  const text = config.text_config as { projection_size?: number; hidden_size?: number } | undefined;
  const projected = config.projection_dim ?? text?.projection_size;
  // A projection is the family's own; where there is none, the text tower's width is what comes out.
  const dimensions =
    projected ?? (family.projects ? undefined : text?.hidden_size) ?? family.dimensions;
  if (typeof dimensions === "number") return dimensions;
  throw new AppError("invalid_input", "config.json does not say how long an embedding is", {
    param: "folder",
  });
}

async function logitOf(
  folder: string,
  options: InspectOptions,
): Promise<{ logitScale: number; logitBias?: number }> {
  if (options.logitScale !== undefined)
    return { logitScale: options.logitScale, logitBias: options.logitBias };
  const path = join(folder, logitFile);
  if (existsSync(path)) {
    // What is no number is found when the manifest is checked.
    const given = (await readObject(path)) as Record<string, number>;
    const logitScale = given.logit_scale_exp ?? given.logit_scale_exp_a;
    if (logitScale !== undefined) return { logitScale, logitBias: given.logit_bias };
  }
  const message =
    "The ONNX files do not hold the learned logit scale: give it with --logit-scale (CLIP: 100)";
  throw new AppError("invalid_input", message, { param: "logit-scale" });
}
