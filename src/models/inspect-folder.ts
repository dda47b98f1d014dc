import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type DataType, Manifest, modalities } from "../encoders/manifest.js";
import { startTokenizer } from "../encoders/preprocess/tokenizer-thread.js";
import { AppError } from "../errors.js";
import { checkInputs, checkOutput } from "./check-graph.js";
import { graphFiles } from "./graph-files.js";
import { readFamily } from "./hub-configs.js";
import { isImmichFolder, readImmichFolder } from "./immich-folder.js";
import type { Layout } from "./layout.js";
import { describeModelFile, openModelFile, readModelJson } from "./model-file.js";
import { logitFile } from "./onnx-layout.js";

export interface InspectOptions {
  id: string;
  source: string;
  license?: string;
  /** The commit the files are from; `local` for a folder. */
  revision?: string;
  /** Paths of the graphs to take; all graphs of the folder by default. */
  graphs?: readonly string[];
  /** The learned multiplier of the cosine and its bias: the public exports omit them. */
  logitScale?: number;
  logitBias?: number;
}

/**
 * The manifest of a folder in the hub's ONNX layout: config.json, preprocessor_config.json or
 * processor_config.json, tokenizer.json, tokenizer_config.json and onnx/*.onnx; or in Immich's
 * (immich-folder.ts). Every constant comes from those files; anything unsupported is refused.
 *
 * The logit scale comes from `options`, else from a `logit.json` beside config.json
 * (`logit_scale_exp` and `logit_bias`). `logit_scale_init_value` of config.json is the starting
 * value, not the learned one, and is not used.
 *
 * @throws AppError `invalid_input` saying which file is missing or what in it is unknown.
 */
export async function inspectFolder(folder: string, options: InspectOptions): Promise<Manifest> {
  const read = isImmichFolder(folder) ? readImmichFolder : readFamily;
  const { layout, dimensions, shorterDimensions, family, preprocess } = await read(folder);
  const { logitScale, logitBias } = await logitOf(folder, options);
  const paths = options.graphs ?? (await pathsOf(folder, layout));
  const towers: Record<string, unknown> = {};
  for (const modality of modalities) {
    const outputs = family.outputs[modality];
    if (outputs === undefined) continue;
    const find = (dtype: DataType) => layout.graph(paths, modality, dtype);
    const files = await graphFiles(folder, find, (graph) => {
      checkInputs[modality](graph, preprocess[modality] as never);
      checkOutput(graph, outputs, dimensions);
    });
    if (files === undefined) continue;
    const tokenizer =
      modality === "text"
        ? { tokenizer: await describeModelFile(folder, layout.tokenizer) }
        : undefined;
    towers[modality] = { files, outputs, preprocess: { ...preprocess[modality], ...tokenizer } };
  }
  if (Object.keys(towers).length === 0) {
    throw new AppError("invalid_input", `${folder} holds none of ${layout.expected}`, {
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
    dimensions,
    shorterDimensions,
    logitScale,
    logitBias,
    activation: family.activation,
    promptTemplates: family.promptTemplates,
    towers,
  });
  if (result.success) {
    await tryTokenizer(folder, result.data);
    return result.data;
  }
  const [issue] = result.error.issues;
  throw new AppError(
    "invalid_input",
    `The manifest would be invalid at "${issue.path.join(".")}": ${issue.message}`,
    {
      param: issue.path[0] === "id" ? "id" : "folder",
    },
  );
}

/**
 * Refuses a tokenizer.json with unknown parts, or one that hangs on a plain sentence.
 */
async function tryTokenizer(folder: string, { id, towers }: Manifest): Promise<void> {
  if (towers.text === undefined) return;
  const path = join(folder, towers.text.preprocess.tokenizer.path);
  try {
    const tokenizer = await startTokenizer(path, towers.text.preprocess, { name: id });
    await tokenizer
      .tokenize(["a photo of a cat", "Rain on a tin roof, and 2 dogs bark: a scene; dusk."])
      .finally(() => tokenizer.close());
  } catch (error) {
    const message = `${path}: ${(error as Error).message}`;
    throw new AppError("invalid_input", message, { param: "folder", cause: error });
  }
}

/**
 * The files beside the graphs. A dangling link or a device is refused even if no graph refers to
 * it: it was meant as weights.
 */
async function pathsOf(folder: string, { folders }: Layout): Promise<string[]> {
  const paths: string[] = [];
  for (const inner of folders) {
    if (!existsSync(join(folder, inner))) continue;
    for (const entry of await readdir(join(folder, inner), { withFileTypes: true })) {
      const path = `${inner}/${entry.name}`;
      if (!entry.isDirectory()) await (await openModelFile(folder, path)).close();
      paths.push(path);
    }
  }
  return paths;
}

async function logitOf(
  folder: string,
  options: InspectOptions,
): Promise<{ logitScale: number; logitBias?: number }> {
  if (options.logitScale !== undefined)
    return { logitScale: options.logitScale, logitBias: options.logitBias };
  if (existsSync(join(folder, logitFile))) {
    // Values that are not numbers fail when the manifest is checked.
    const values = (await readModelJson(folder, logitFile)) as Record<string, number>;
    const logitScale = values.logit_scale_exp ?? values.logit_scale_exp_a;
    if (logitScale !== undefined) return { logitScale, logitBias: values.logit_bias };
  }
  const message =
    "The ONNX files do not contain the learned logit scale: give it with --logit-scale (CLIP: 100)";
  throw new AppError("invalid_input", message, { param: "logit-scale" });
}
