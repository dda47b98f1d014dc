import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataType, type GraphFile } from "../encoders/manifest.js";
import { AppError } from "../errors.js";
import { type ExternalFile, externalFilesOf } from "./external-data.js";
import { type GraphHeader, readGraphHeader } from "./graph-header.js";
import { inFolder } from "./hub-configs.js";
import { describeModelFile, openModelFile } from "./model-file.js";

/**
 * The graphs of a tower by data type, with the files that hold their weights; undefined when there
 * is none.
 *
 * @param find   the path of the tower's graph in a data type.
 * @param check  refuses, with a RangeError, a graph that does not fit its configuration.
 * @throws AppError `invalid_input` naming the file.
 */
export async function graphFiles(
  folder: string,
  find: (dtype: DataType) => string | undefined,
  check: (header: GraphHeader) => void,
): Promise<Partial<Record<DataType, GraphFile>> | undefined> {
  const files: Partial<Record<DataType, GraphFile>> = {};
  for (const dtype of DataType.options) {
    const path = find(dtype);
    if (path === undefined) continue;
    const header = await readGraph(folder, path);
    inFolder(join(folder, path), () => check(header));
    const data = await Promise.all(
      inFolder(folder, () => externalFilesOf(path, header)).map((external) =>
        describeExternal(folder, path, external),
      ),
    );
    const graph = await describeModelFile(folder, path);
    files[dtype] = { ...graph, ...(data.length > 0 ? { data } : {}) };
  }
  return Object.keys(files).length === 0 ? undefined : files;
}

async function describeExternal(folder: string, graph: string, { path, bytes }: ExternalFile) {
  if (!existsSync(join(folder, path)))
    throw refuse(`${join(folder, graph)} keeps its weights in ${path}, which is missing`);
  const file = await describeModelFile(folder, path);
  if (file.size >= bytes) return file;
  throw refuse(`${join(folder, path)} has ${file.size} bytes but ${graph} needs ${bytes}`);
}

/**
 * @throws AppError `invalid_input` for a placeholder that a clone or a download left in a graph's
 * place.
 */
export async function readGraph(folder: string, path: string): Promise<GraphHeader> {
  const file = await openModelFile(folder, path);
  try {
    return readGraphHeader(file.fd);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const { buffer } = await file.read(Buffer.alloc(40), 0, 40, 0);
    const isPointer = buffer.toString("latin1").startsWith("version https://git-lfs");
    const problem = isPointer
      ? "a Git LFS pointer: fetch the file itself (git lfs pull)"
      : error.message;
    throw refuse(`${join(folder, path)} is ${problem}`, error);
  } finally {
    await file.close();
  }
}

const refuse = (message: string, cause?: unknown) =>
  new AppError("invalid_input", message, { param: "folder", cause });
