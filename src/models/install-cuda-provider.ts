import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { openPromise, type ZipFile } from "yauzl";
import { AppError, invalidInput } from "../errors.js";
import { hashFile } from "../files/hash-file.js";
import { newFile } from "../files/new-file.js";
import { type CudaRelease, cudaRelease } from "../gpu/cuda-provider.js";
import { lockProcesses } from "../index/embedded/process-lock.js";
import { downloadFile } from "./hub/download-file.js";
import { HubClient } from "./hub/hub-client.js";
import type { HubSettings } from "./hub/hub-settings.js";
import { problemWith } from "./hub/problem-with.js";
import type { PullProgress } from "./pull-options.js";

export interface InstallOptions {
  /** Where ONNX Runtime looks for its providers. */
  folder: string;
  /** Keeps the archive while it is incomplete. */
  cacheDir: string;
  /** An archive on this machine, instead of a download. */
  from?: string;
  /** Install again even if it is installed. */
  force?: boolean;
  /** For the proxy and the time limits. */
  network: Pick<HubSettings, "httpProxy" | "httpsProxy" | "noProxy">;
  /** The version of ONNX Runtime that will load the provider. */
  runtime: string;
  signal?: AbortSignal;
  progress: PullProgress;
  release?: CudaRelease;
}

/**
 * Installs the CUDA provider for exactly this version of ONNX Runtime. The archive and each
 * library are checked by their sha256; an interrupted download continues.
 *
 * @returns whether anything was installed: false when the same libraries were already installed.
 * @throws AppError `hub_failed`, `storage_full` or `cancelled` as `downloadFile` does;
 *   `invalid_input` when `from` is another file; `storage_failed` when the folder cannot be
 *   written.
 */
export async function installCudaProvider(options: InstallOptions): Promise<boolean> {
  const { folder, cacheDir, from, force = false, signal, progress } = options;
  const release = options.release ?? cudaRelease;
  if (options.runtime !== release.runtime)
    throw new AppError(
      "device_unavailable",
      `The CUDA provider is for ONNX Runtime ${release.runtime}, but this is ` +
        `${options.runtime}`,
    );
  await mkdir(cacheDir, { recursive: true });
  const unlock = await lockProcesses(join(cacheDir, "gpu-install.lock"), {
    signal,
    onWait: (pid) => progress.notice(`waiting for process ${pid}, which installs it`),
  });
  try {
    if (!force && (await isInstalled(release, folder))) return false;
    const archive = from ?? (await download(options, release));
    if (from !== undefined) await checkGiven(from, release);
    await unpack(archive, release, folder);
    if (from === undefined) await rm(archive, { force: true });
    return true;
  } finally {
    unlock();
  }
}

async function isInstalled({ libraries }: CudaRelease, folder: string): Promise<boolean> {
  for (const { name, size, sha256 } of libraries) {
    const path = join(folder, name);
    if ((await stat(path).catch(() => undefined))?.size !== size) return false;
    if ((await hashFile(path)) !== sha256) return false;
  }
  return true;
}

async function download(
  { cacheDir, network, signal, progress }: InstallOptions,
  { origin, path, archive }: CudaRelease,
): Promise<string> {
  const target = join(cacheDir, archive.name);
  const file = { path: archive.name, size: archive.size, sha256: archive.sha256 };
  progress.begin(1, archive.size);
  progress.file(archive.name, archive.size);
  const existing = await stat(target).catch(() => undefined);
  if (existing !== undefined && (await problemWith(target, file)) === undefined) {
    progress.done("here");
    return target;
  }
  const client = new HubClient(
    { ...network, endpoint: origin, cacheDir, offline: false },
    { onRetry: ({ message }) => progress.notice(`${message}; trying again`) },
  );
  try {
    const onBytes = (bytes: number) => progress.bytes(bytes);
    await downloadFile(client, path, file, target, { signal, onBytes });
  } finally {
    await client.close();
  }
  progress.done("the hub");
  return target;
}

async function checkGiven(from: string, { archive }: CudaRelease): Promise<void> {
  const found = await stat(from).catch(() => undefined);
  if (!found?.isFile()) throw invalidInput("from", `There is no file "${from}"`);
  const problem = await problemWith(from, { ...archive, path: archive.name });
  if (problem !== undefined)
    throw invalidInput("from", `"${from}" is not ${archive.name}: ${problem}`);
}

/** Each library appears complete and verified, the provider after its dependencies. */
async function unpack(archive: string, { libraries }: CudaRelease, folder: string): Promise<void> {
  const zip = await openPromise(archive, { autoClose: false, lazyEntries: true });
  try {
    const entries = await entriesOf(zip);
    for (const { entry: path, name, size, sha256 } of libraries) {
      const entry = entries.get(path);
      if (entry?.uncompressedSize !== size)
        throw new AppError("hub_failed", `The archive holds no ${path} of ${size} bytes`);
      const file = await newFile(join(folder, name), { replace: true });
      try {
        for await (const chunk of await zip.openReadStreamPromise(entry)) await file.write(chunk);
        await file.publish(async (part) => {
          const found = await hashFile(part);
          if (found === sha256) return;
          const message = `${name}: expected the sha256 ${sha256} but the archive holds ${found}`;
          throw new AppError("hub_failed", message);
        });
      } finally {
        await file.discard();
      }
    }
  } finally {
    zip.close();
  }
}

type Entry = Parameters<ZipFile["openReadStreamPromise"]>[0];

function entriesOf(zip: ZipFile): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  return new Promise((resolve, reject) => {
    zip.on("entry", (entry: Entry) => {
      entries.set(entry.fileName, entry);
      zip.readEntry();
    });
    zip.once("end", () => resolve(entries));
    zip.once("error", reject);
    zip.readEntry();
  });
}
