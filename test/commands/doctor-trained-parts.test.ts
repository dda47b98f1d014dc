import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { trainedParts } from "../../src/commands/doctor-trained-parts.js";
import { localFolder } from "../../src/files/state-folder.js";
import { HeadStore } from "../../src/heads/head-store.js";
import { FolderJobStore } from "../../src/jobs/folder-job-store.js";
import { Jobs } from "../../src/jobs/jobs.js";
import { createLog } from "../../src/log.js";

const log = createLog("silent");

it("names every damaged file of keys, heads, bridges, label sets and jobs", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-doctor-"));
  expect(await trainedParts(dataDir)).toMatchObject([
    { check: "keys", ok: true, found: "none" },
    { check: "heads", ok: true, found: "none" },
    { check: "bridges", ok: true, found: "none" },
    { check: "calibrations", ok: true, found: "none" },
    { check: "label sets", ok: true, found: "none" },
    { check: "jobs", ok: true, found: "none" },
  ]);

  const run = () => Promise.reject(new Error("no"));
  const kinds = { work: { lane: "one", run } };
  const jobs = await Jobs.open({
    store: new FolderJobStore(join(dataDir, "jobs"), log),
    kinds,
    log,
  });
  const files = { "rows.npy": Uint8Array.of(1, 2, 3) };
  const [one, two] = [
    await jobs.create("work", { data: {}, files }),
    await jobs.create("work", { data: {} }),
  ];
  await expect.poll(() => jobs.list().map(({ state }) => state)).toEqual(["failed", "failed"]);
  await jobs.close();
  expect(await trainedParts(dataDir)).toContainEqual(
    expect.objectContaining({ check: "jobs", ok: true, found: "2, all files intact" }),
  );

  const damaged = [
    join(dataDir, "keys.json"),
    join(dataDir, "heads", "h", "active.json"),
    join(dataDir, "bridges", "b", "active.json"),
    join(dataDir, "label-sets", "s.json"),
    join(dataDir, "jobs", two.id, "job.json"),
    join(dataDir, "jobs", one.id, "rows.npy"),
  ];
  for (const name of ["heads/h/1", "bridges/b/1", "label-sets"])
    mkdirSync(join(dataDir, name), { recursive: true });
  for (const path of damaged) writeFileSync(path, "");
  const wrong = (await trainedParts(dataDir)).filter(({ ok }) => !ok);
  for (const path of damaged)
    expect(wrong.map(({ found }) => found)).toContainEqual(expect.stringContaining(path));
  expect(
    (await HeadStore.open({ files: localFolder(join(dataDir, "heads")), log })).damage(),
  ).toHaveLength(2);
});
