import { join } from "node:path";
import { type App, createApp } from "../../src/app.js";
import type { LoadedPack } from "../../src/encoders/load.js";
import { packsOf } from "../../src/encoders/packs.js";
import { localFolder } from "../../src/files/state-folder.js";
import { bridgeJob } from "../../src/heads/bridge-job.js";
import { BridgeStore } from "../../src/heads/bridge-store.js";
import { fewShotJob } from "../../src/heads/few-shot-job.js";
import { trainJob } from "../../src/heads/train-job.js";
import { FolderJobStore } from "../../src/jobs/folder-job-store.js";
import { Jobs } from "../../src/jobs/jobs.js";
import type { Services } from "../../src/services.js";
import { measureGap } from "../../src/training/measure-gap.js";
import { checkAnswers } from "./check-answers.js";
import { startApp } from "./services.js";

/** The product with packs that need no weights; the gap is measured in this thread. */
export async function fakeApp(
  loaded: readonly LoadedPack[],
): Promise<{ app: App; services: Services }> {
  const { services } = await startApp({ models: [] });
  const { config, log, media, budget, store, heads } = services;
  const packs = packsOf(loaded);
  const bridges = await BridgeStore.open({
    files: localFolder(join(config.dataDir, "bridges")),
    spaces: () => loaded.map(({ manifest, space }) => ({ id: manifest.id, space })),
    log,
  });
  const parts = { packs, media, budget, config, store, heads };
  const kinds = {
    train: trainJob(parts),
    "few-shot": fewShotJob(parts),
    bridge: bridgeJob({ ...parts, bridges }),
  };
  const jobs = await Jobs.open({
    store: new FolderJobStore(join(config.dataDir, "fake-jobs"), log),
    kinds,
    log,
  });
  const gap: Services["gap"] = {
    ...services.gap,
    measure: async (request) => measureGap(request),
  };
  const fake = { ...services, packs, bridges, jobs, gap };
  return { app: checkAnswers(createApp(fake)), services: fake };
}
