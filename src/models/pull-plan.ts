import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataType, Manifest } from "../encoders/manifest.js";
import { AppError } from "../errors.js";
import { type BuiltIn, findBuiltIn, shippedModels } from "./built-in.js";
import { externalFilesOf } from "./external-data.js";
import { readGraph } from "./graph-files.js";
import type { HubFile, HubListing } from "./hub/list-repo.js";
import { inFolder } from "./hub-configs.js";
import {
  configFiles,
  findGraph,
  graphNames,
  logitFile,
  processorFiles,
  type TowerName,
} from "./onnx-layout.js";

/** The request of `models pull`. */
export interface PullTarget {
  id: string;
  repo: string;
  /** Undefined: the built-in's, else `main`. */
  revision?: string;
  builtIn?: BuiltIn;
}

/**
 * `clip-vit-base-patch32`, `owner/name` or either with `@revision`. `--id` gives another name; with
 * a built-in's id, its learned logit scale and licence are used for the given repository.
 *
 * @throws AppError `invalid_input` or `model_not_found`, naming the built-in ids.
 */
export function pullTarget(spec: string, { id }: { id?: string } = {}): PullTarget {
  const at = spec.indexOf("@");
  const name = at < 0 ? spec : spec.slice(0, at);
  const revision = at < 0 ? undefined : spec.slice(at + 1);
  if (revision !== undefined && (!/^[\w.][\w./-]*$/.test(revision) || revision.includes(".."))) {
    const message = `Expected a branch, tag or commit after "@" but received "${revision}"`;
    throw new AppError("invalid_input", message, { param: "id" });
  }
  const builtIn = findBuiltIn(name);
  if (builtIn === undefined && !/^[\w.-]+\/[\w.-]+$/.test(name)) {
    const message =
      `"${name}" is neither a built-in model nor a hub repository (owner/name); see: crossmodal ` +
      "models list";
    throw new AppError("model_not_found", message, { param: "id" });
  }
  const named = (id === undefined ? undefined : findBuiltIn(id)) ?? builtIn;
  const repo = builtIn === undefined ? name : builtIn.repo;
  if (repo === null) {
    const message =
      `No public ONNX export of "${builtIn?.id}" is known. Export ${builtIn?.original} to ONNX ` +
      "and add the folder with " +
      '"crossmodal models add", or name a repository that holds one: crossmodal models pull ' +
      `owner/name --id ${builtIn?.id}`;
    throw new AppError("model_not_found", message, { param: "id" });
  }
  if (id !== undefined && existsSync(join(shippedModels, id, "manifest.json"))) {
    const message = `"${id}" is shipped with crossmodal; choose another --id`;
    throw new AppError("already_exists", message, { param: "id" });
  }
  const chosen = id ?? builtIn?.id ?? name.split("/")[1].toLowerCase();
  if (Manifest.shape.id.safeParse(chosen).success)
    return { id: chosen, repo, revision, builtIn: named };
  const message =
    `Expected an id of lower-case letters, digits, ".", "_" and "-" but received "${chosen}"; ` +
    "choose one with --id";
  throw new AppError("invalid_input", message, { param: "id" });
}

export interface PullPlan {
  configs: HubFile[];
  graphs: HubFile[];
  /**
   * Weights beside the graphs, by their usual names; the graph itself says which files it needs.
   */
  beside: HubFile[];
}

/**
 * The files of a repository for a pack in the given data types.
 * @throws AppError `invalid_input` saying what the repository lacks and what it has.
 */
export function planPull({ repo, files }: HubListing, dtypes: readonly DataType[]): PullPlan {
  const paths = files.map(({ path }) => path);
  const fileAt = (path: string) => files.find((file) => file.path === path)!;
  const lacking: string[] = configFiles.filter((path) => !paths.includes(path));
  if (!processorFiles.some((path) => paths.includes(path))) lacking.push(processorFiles[0]);
  const towers = (Object.keys(graphNames) as TowerName[]).filter((tower) =>
    DataType.options.some((dtype) => findGraph(paths, tower, dtype) !== undefined),
  );
  if (towers.length === 0 || lacking.length > 0) {
    const missing =
      towers.length === 0
        ? `onnx/{${Object.values(graphNames).join(",")}}.onnx`
        : lacking.join(", ");
    const message = `${repo} holds no ${missing}: it is not an export in the hub's ONNX layout`;
    throw new AppError("invalid_input", message, { param: "id" });
  }
  const graphs = towers.flatMap((tower) =>
    dtypes.flatMap((dtype) => {
      const found = findGraph(paths, tower, dtype);
      if (found !== undefined) return fileAt(found);
      const available = DataType.options.filter(
        (other) => findGraph(paths, tower, other) !== undefined,
      );
      const message =
        `${repo} has no ${graphNames[tower]} as ` + `${dtype}; available: ${available.join(", ")}`;
      throw new AppError("invalid_input", message, { param: "dtype" });
    }),
  );
  const configs = [...configFiles, ...processorFiles, logitFile]
    .filter((path) => paths.includes(path))
    .map(fileAt);
  const isBeside = (path: string) =>
    graphs.some(
      (graph) => path.startsWith(graph.path) && path.slice(graph.path.length).match(/^[._]data/),
    );
  return { configs, graphs, beside: files.filter(({ path }) => isBeside(path)) };
}

/**
 * The files that hold the weights of the graphs in `folder`, as named by the graphs.
 * @throws AppError `invalid_input` when the repository lacks one.
 */
export async function weightsBeside(
  folder: string,
  { repo, files }: HubListing,
  graphs: readonly HubFile[],
): Promise<HubFile[]> {
  const found = new Map<string, HubFile>();
  for (const graph of graphs) {
    const header = await readGraph(folder, graph.path);
    for (const { path } of inFolder(repo, () => externalFilesOf(graph.path, header))) {
      const file = files.find((other) => other.path === path);
      if (file !== undefined) found.set(path, file);
      else {
        const message = `${graph.path} keeps its weights in ${path}, which is missing in ${repo}`;
        throw new AppError("invalid_input", message, { param: "id" });
      }
    }
  }
  return [...found.values()];
}
