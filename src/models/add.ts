import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Manifest, modalities, type PackFile } from "../encoders/manifest.js";
import { AppError } from "../errors.js";
import { checkRoom } from "../files/check-room.js";
import { storageError } from "../files/write-durably.js";
import { lockProcesses } from "../index/embedded/process-lock.js";
import { copyModelFile } from "./copy-file.js";
import { type InspectOptions, inspectFolder } from "./inspect-folder.js";
import { installedIds, isId, modelFolders, pullFolder } from "./store.js";

/**
 * Installs a folder in the hub's ONNX layout: its files are copied into the data folder (the
 * original may move or change), hashed, and described by a manifest. The pack appears complete or
 * not at all.
 *
 * @returns the manifest as written.
 * @throws AppError `already_exists`, `invalid_input` (see inspectFolder), `storage_full`,
 *   `storage_failed`.
 */
export async function addModel(
  folder: string,
  dataDir: string,
  options: InspectOptions,
): Promise<Manifest> {
  if (installedIds(dataDir).includes(options.id)) throw alreadyThere(options.id);
  const manifest = await inspectFolder(folder, options);
  const [parent] = modelFolders(dataDir);
  const target = join(parent, manifest.id);
  await removeLeftovers(parent);
  const name = `.${manifest.id}.${process.pid}.${nextDraft++}`;
  const draft = join(parent, name);
  openDrafts.add(name);
  try {
    await mkdir(draft, { recursive: true });
    const files = filesOf(manifest);
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    checkRoom(draft, bytes);
    // The hub's cache holds links, so their targets are copied.
    for (const file of files) await copyModelFile(folder, file, draft);
    await writeFile(join(draft, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(draft, target);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    // Meanwhile removed by another process
    if (code === "ENOTEMPTY" || code === "EEXIST") throw alreadyThere(manifest.id);
    throw syscall === undefined ? error : storageError(error, target);
  } finally {
    // The earlier error says more
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    openDrafts.delete(name);
  }
  return manifest;
}

/** Drafts of this process that are being filled. */
const openDrafts = new Set<string>();
let nextDraft = 0;

/** Removes drafts of adds whose process was killed. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = /^\..+\.(\d+)\.\d+$/.exec(name)?.[1];
    if (
      pid === undefined ||
      (Number(pid) === process.pid ? openDrafts.has(name) : isRunning(Number(pid)))
    )
      continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH"; // EPERM: it runs, as another user
  }
}

function alreadyThere(id: string): AppError {
  return new AppError(
    "already_exists",
    `There is already a model "${id}"; remove it or choose another --id`,
    {
      param: "id",
    },
  );
}

/**
 * Removes a pack, and the rest of an unfinished pull.
 * @throws AppError `model_not_found`, `invalid_input` for a shipped pack,
 *   `conflict` while another process pulls it, `storage_failed`.
 */
export async function removeModel(dataDir: string, id: string): Promise<void> {
  const [parent] = modelFolders(dataDir);
  const unfinished = pullFolder(dataDir, id);
  const lock = `${unfinished}.lock`;
  const isOwn = () => installedIds(dataDir, [parent]).includes(id);
  // An invalid id such as ".." would name the folder of all models.
  if (!isId(id) || !(isOwn() || existsSync(unfinished) || existsSync(lock)))
    throw notToRemove(dataDir, id);
  try {
    const unlock = await lockProcesses(lock, {
      onWait: (pid) => {
        const message =
          `Process ${pid} is pulling "${id}"; remove it when that is done, or stop that ` +
          "process first";
        throw new AppError("conflict", message, { param: "id" });
      },
    });
    try {
      const found = [unfinished, ...(isOwn() ? [join(parent, id)] : [])].filter((path) =>
        existsSync(path),
      );
      if (found.length === 0) throw notToRemove(dataDir, id);
      for (const path of found) await rm(path, { recursive: true });
    } finally {
      unlock();
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined
      ? error
      : storageError(error, join(parent, id));
  }
}

function notToRemove(dataDir: string, id: string): AppError {
  return installedIds(dataDir).includes(id)
    ? new AppError(
        "invalid_input",
        `The model "${id}" is shipped with crossmodal and cannot be removed`,
        {
          param: "id",
        },
      )
    : new AppError("model_not_found", `No model "${id}" is installed`, { param: "id" });
}

/** Every file a pack needs. */
export function filesOf(manifest: Manifest): PackFile[] {
  const files = modalities.flatMap((modality) => {
    const tower = manifest.towers[modality];
    if (tower === undefined) return [];
    const graphs = Object.values(tower.files).flatMap(({ data = [], ...graph }) => [
      graph,
      ...data,
    ]);
    return tower.head === undefined ? graphs : [...graphs, tower.head];
  });
  const tokenizer = manifest.towers.text?.preprocess.tokenizer;
  const all = tokenizer === undefined ? files : [...files, tokenizer];
  // Two graphs may keep their weights in one file.
  return [...new Map(all.map((file) => [file.path, file])).values()];
}
