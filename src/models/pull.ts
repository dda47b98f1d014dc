import { constants, existsSync } from "node:fs";
import { copyFile, mkdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type DataType, type Manifest, modalities } from "../encoders/manifest.js";
import { readManifest } from "../encoders/read-manifest.js";
import { AppError } from "../errors.js";
import { storageError } from "../files/write-durably.js";
import { lockProcesses } from "../index/embedded/process-lock.js";
import { downloadFile, repositoryPath } from "./hub/download-file.js";
import { cachedCopies, listCached } from "./hub/hub-cache.js";
import { HubClient } from "./hub/hub-client.js";
import { type HubFile, type HubListing, listRepo } from "./hub/list-repo.js";
import { problemWith } from "./hub/problem-with.js";
import { readFamily } from "./hub-configs.js";
import { inspectFolder } from "./inspect-folder.js";
import { installPack } from "./install-pack.js";
import { type Logit, learnedLogit } from "./learned-logit.js";
import type { PullOptions } from "./pull-options.js";
import { type PullPlan, type PullTarget, planPull, weightsBeside } from "./pull-plan.js";
import { modelFolders, pullFolder } from "./store.js";

/**
 * Fetches a model from a hub into the data folder: verified file by file, pinned to a commit,
 * described by a manifest made from the fetched files. The pack appears whole or not at all;
 * further data types are added to an installed one. Two pulls of one model share one download.
 *
 * @returns the manifest, and whether everything was already installed.
 * @throws AppError `hub_failed`, `model_not_found`, `invalid_input`, `already_exists`,
 *   `storage_full`, `cancelled`.
 */
export async function pullModel(
  target: PullTarget,
  options: PullOptions,
): Promise<{ manifest: Manifest; wasInstalled: boolean }> {
  const { dataDir, signal, progress } = options;
  const folder = pullFolder(dataDir, target.id);
  const onWait = (pid: string) =>
    progress.notice(`waiting for process ${pid}, which is already pulling ${target.id}`);
  const unlock = await lockProcesses(`${folder}.lock`, { signal, onWait });
  const client = new HubClient(options.hub, {
    ...options.retry,
    onRetry: ({ message }, waitMs) =>
      progress.notice(`${message}; trying again in ${Math.ceil(waitMs / 1000)} s`),
  });
  try {
    return await new Pull(target, options, client, folder).run();
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (signal?.aborted)
      throw new AppError("cancelled", "Interrupted; run the command again to continue", {
        cause: error,
      });
    throw typeof (error as NodeJS.ErrnoException).syscall === "string"
      ? storageError(error, folder)
      : error;
  } finally {
    await client.close();
    unlock();
  }
}

class Pull {
  readonly #target: PullTarget;
  readonly #options: PullOptions;
  readonly #client: HubClient;
  /** Where files are collected, by their paths on the hub. */
  readonly #folder: string;
  readonly #pack: string;

  constructor(target: PullTarget, options: PullOptions, client: HubClient, folder: string) {
    this.#target = target;
    this.#options = options;
    this.#client = client;
    this.#folder = folder;
    this.#pack = join(modelFolders(options.dataDir)[0], target.id);
  }

  async run(): Promise<{ manifest: Manifest; wasInstalled: boolean }> {
    const installed = await this.#installed();
    if (
      installed !== undefined &&
      has(installed, this.#options.dtypes) &&
      this.#target.revision === undefined
    )
      return { manifest: installed, wasInstalled: true };
    const listing = await this.#list(installed);
    if (installed !== undefined && has(installed, this.#options.dtypes))
      return { manifest: installed, wasInstalled: true };
    const plan = planPull(listing, this.#options.dtypes);
    const logit = await this.#fetchAll(listing, plan);
    const manifest = await this.#describe(listing, plan, logit);
    return {
      manifest: await installPack(this.#folder, this.#pack, manifest, installed),
      wasInstalled: false,
    };
  }

  async #installed(): Promise<Manifest | undefined> {
    const { id, repo } = this.#target;
    const path = join(this.#pack, "manifest.json");
    if (!existsSync(path)) return undefined;
    const manifest = await readManifest(path);
    if (manifest.source === repo) return manifest;
    const message =
      `There is already a model "${id}" from ${manifest.source}; remove it or choose another ` +
      "--id";
    throw new AppError("already_exists", message, { param: "id" });
  }

  /** The files to fetch: from the hub, or from its cache when the hub is unavailable. */
  async #list(installed: Manifest | undefined): Promise<HubListing> {
    const { id, repo, builtIn } = this.#target;
    const { hub, signal, progress } = this.#options;
    const revision = this.#target.revision ?? installed?.revision ?? builtIn?.revision ?? "main";
    const listing = await this.#listAt(repo, revision).catch(async (error) => {
      if (!(error instanceof AppError) || error.code !== "hub_failed" || signal?.aborted)
        throw error;
      const cached = await listCached(hub.cacheDir, repo, revision);
      if (cached !== undefined) {
        progress.notice(`${error.message}. Taking ${repo} from ${hub.cacheDir} instead`);
        return cached;
      }
      const advice =
        "Check the network, set HF_ENDPOINT to a mirror or HTTPS_PROXY to a proxy, or copy the " +
        "files by hand and run: " +
        "crossmodal models add FOLDER";
      throw /reached/.test(error.message)
        ? new AppError("hub_failed", `${error.message}. ${advice}`, { cause: error })
        : error;
    });
    if (installed !== undefined && installed.revision !== listing.commit) {
      const message =
        `"${id}" is installed at revision ${installed.revision} but ${revision} is ` +
        `${listing.commit}; remove it or choose another --id`;
      throw new AppError("already_exists", message, { param: "id" });
    }
    return listing;
  }

  async #listAt(repo: string, revision: string): Promise<HubListing> {
    const { hub, signal } = this.#options;
    if (!hub.offline) return listRepo(this.#client, repo, revision, signal);
    throw new AppError(
      "hub_failed",
      `HF_HUB_OFFLINE is set and ${hub.cacheDir} does not hold ${repo} at ${revision}`,
    );
  }

  async #fetchAll(listing: HubListing, plan: PullPlan): Promise<Logit> {
    const { configs, graphs, beside } = plan;
    const files = [...configs, ...graphs, ...beside];
    const sizes = files.map(({ size }) => size ?? 0);
    await this.#checkSpace(files);
    this.#options.progress.begin(
      files.length,
      sizes.reduce((total, size) => total + size, 0),
    );
    for (const file of configs) await this.#fetch(listing, file);
    // Small files first: anything unsupported is reported before the weights are fetched.
    await readFamily(this.#folder);
    const logit = await learnedLogit(this.#client, this.#target, listing, this.#options);
    for (const file of graphs) await this.#fetch(listing, file);
    for (const file of await weightsBeside(this.#folder, listing, graphs))
      await this.#fetch(listing, file);
    return logit;
  }

  /** @throws AppError `storage_full` before anything is fetched that has no room. */
  async #checkSpace(files: readonly HubFile[]): Promise<void> {
    let needed = 0;
    for (const { path, size = 0 } of files) {
      const target = join(this.#folder, path);
      if (!existsSync(target))
        needed += size - ((await stat(`${target}.part`).catch(() => undefined))?.size ?? 0);
    }
    await mkdir(this.#folder, { recursive: true });
    const { bavail, bsize } = await statfs(this.#folder);
    if (needed <= bavail * bsize) return;
    const message =
      `The disk of "${this.#options.dataDir}" is too full: ${needed} bytes are needed and ` +
      `${bavail * bsize} are free`;
    throw new AppError("storage_full", message);
  }

  /**
   * Gets one file: kept, copied from the pack or the hub's cache, or downloaded.
   */
  async #fetch(listing: HubListing, file: HubFile): Promise<void> {
    const { hub, progress, signal } = this.#options;
    const target = join(this.#folder, file.path);
    progress.file(file.path, file.size);
    if (existsSync(target) && (await problemWith(target, file)) === undefined)
      return progress.done("here");
    const inPack = join(this.#pack, file.path);
    for (const copy of [inPack, ...(await cachedCopies(hub.cacheDir, listing, file))]) {
      if (!existsSync(copy) || (await problemWith(copy, file)) !== undefined) continue;
      await mkdir(dirname(target), { recursive: true });
      await copyFile(copy, target, constants.COPYFILE_FICLONE);
      return progress.done(copy === inPack ? "here" : "the hub's cache");
    }
    if (hub.offline)
      throw new AppError(
        "hub_failed",
        `HF_HUB_OFFLINE is set and ${hub.cacheDir} does not hold ${file.path}`,
      );
    await downloadFile(this.#client, repositoryPath(listing, file), file, target, {
      signal,
      onBytes: (receivedBytes) => progress.bytes(receivedBytes),
    });
    progress.done("the hub");
  }

  /** The manifest from the fetched files and the values they omit. */
  async #describe(listing: HubListing, { graphs }: PullPlan, logit: Logit): Promise<Manifest> {
    const { id, repo, builtIn } = this.#target;
    const license = this.#options.license ?? builtIn?.license ?? listing.license;
    const manifest = await inspectFolder(this.#folder, {
      id,
      source: repo,
      license,
      revision: listing.commit,
      graphs: graphs.map(({ path }) => path),
      ...logit,
    });
    if (builtIn?.canonicalize !== undefined && manifest.towers.text !== undefined)
      manifest.towers.text.preprocess.canonicalize = builtIn.canonicalize;
    return manifest;
  }
}

const has = ({ towers }: Manifest, dtypes: readonly DataType[]) =>
  modalities.every((modality) =>
    dtypes.every((dtype) => towers[modality]?.files[dtype] !== undefined || !towers[modality]),
  );
