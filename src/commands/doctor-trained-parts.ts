import { join } from "node:path";
import { readKeys } from "../access/key-file.js";
import { CalibrationStore } from "../calibrations/calibration-store.js";
import { localFolder } from "../files/state-folder.js";
import { BridgeStore } from "../heads/bridge-store.js";
import { HeadStore } from "../heads/head-store.js";
import { FolderJobStore } from "../jobs/folder-job-store.js";
import { isResumable } from "../jobs/job.js";
import { LabelSetStore } from "../label-sets/label-set-store.js";
import { createLog } from "../log.js";
import type { Finding } from "./finding.js";

const log = createLog("silent");

/**
 * Checks that every file of the keys, heads, bridges, calibrations, label sets and jobs in the data
 * folder can be read and is intact. A server may be using it.
 */
export async function trainedParts(dataDir: string): Promise<Finding[]> {
  const files = (name: string) => localFolder(join(dataDir, name));
  const heads = await HeadStore.open({ files: files("heads"), log });
  const bridges = await BridgeStore.open({ files: files("bridges"), spaces: () => [], log });
  const trainedHere = bridges
    .list()
    .filter(({ versions }) => versions.some(({ shipped }) => !shipped));
  const calibrations = new CalibrationStore({ files: files("calibrations"), log });
  const labelSets = await new LabelSetStore(files("label-sets")).list();
  const { jobs, damage } = await jobsOf(dataDir);
  const unreadable: string[] = [];
  const keys = await readKeys({ path: dataDir }).catch((error: Error) => {
    unreadable.push(error.message);
    return [];
  });
  return [
    ...findings("keys", keys.length, unreadable),
    ...findings("heads", heads.list().length, heads.damage()),
    ...findings("bridges", trainedHere.length, bridges.damage()),
    ...findings("calibrations", (await calibrations.list()).length, await calibrations.damage()),
    ...findings(
      "label sets",
      labelSets.length,
      labelSets.flatMap((set) => ("error" in set ? [set.error] : [])),
    ),
    ...findings("jobs", jobs, damage),
  ];
}

async function jobsOf(dataDir: string): Promise<{ jobs: number; damage: string[] }> {
  const store = new FolderJobStore(join(dataDir, "jobs"), log);
  const found = await store.readAll();
  const damage = found.flatMap((one) => one.damage ?? []);
  for (const { job, damage: jobDamage } of found) {
    if (jobDamage !== undefined || !isResumable(job)) continue;
    await store.input(job.id).catch((error: Error) => damage.push(error.message));
  }
  return { jobs: found.length, damage };
}

function findings(check: string, count: number, damage: string[]): Finding[] {
  const finding = { group: "data folder", check };
  if (damage.length > 0) return damage.map((found) => ({ ...finding, ok: false, found }));
  return [{ ...finding, ok: true, found: count === 0 ? "none" : `${count}, all files intact` }];
}
