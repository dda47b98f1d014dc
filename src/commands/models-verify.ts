import { dirname } from "node:path";
import type { Command } from "commander";
import { readManifest } from "../encoders/load.js";
import { AppError } from "../errors.js";
import { filesOf } from "../models/add.js";
import { verifiedPackFile } from "../models/pack-files.js";
import { findManifest, installedIds } from "../models/store.js";
import { type GoldenResult, goldenResults } from "./golden-results.js";
import { addConfigFlags, configOf } from "./options.js";
import { CommandError } from "./target.js";

/** `crossmodal models verify`: are the files the ones that were meant, and with `--golden`, do published results come out? */
export function modelsVerifyCommand(models: Command): void {
  const verify = models
    .command("verify")
    .description("hash every file again; with --golden also compare published results")
    .argument("[ids...]", "models; all when left out")
    .option("--golden", "run the samples with published results that are known for the model")
    .option(
      "--media <files...>",
      "the samples' pictures and sounds, under their own names (said when they are missing)",
    );
  addConfigFlags(verify, ["dataDir", "device", "threads"]).action(async (ids: string[], given) => {
    const config = configOf(given);
    const { dataDir } = config;
    let failed = 0;
    const attempt = async <T>(id: string, work: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        failed++;
        console.log(`FAILED  ${id}  ${error.message}`);
        return undefined;
      }
    };
    for (const id of ids.length > 0 ? ids : installedIds(dataDir)) {
      const path = findManifest(dataDir, id);
      const manifest = await attempt(id, () => readManifest(path));
      for (const file of manifest === undefined ? [] : filesOf(manifest)) {
        const found = await attempt(id, () => verifiedPackFile(dirname(path), file));
        if (found !== undefined) console.log(`ok      ${id}  ${file.path}`);
      }
    }
    if (failed > 0)
      throw new CommandError(`${failed} ${failed === 1 ? "file is" : "files are"} not what the manifest says`);
    if (given.golden !== true) return;
    const targets = ids.length > 0 ? ids : installedIds(dataDir);
    const compared: GoldenResult[] = [];
    for (const id of targets) compared.push(...(await goldenResults(id, config, given.media ?? [])));
    for (const { id, what, verdict, detail } of compared) console.log(`${verdict.padEnd(7)} ${id}  ${what}: ${detail}`);
    const off = compared.filter(({ verdict }) => verdict === "FAILED").length;
    if (off > 0) throw new CommandError(`${off} published ${off === 1 ? "result does" : "results do"} not come out`);
    if (compared.every(({ verdict }) => verdict === "skipped"))
      throw new CommandError("No published result was compared");
  });
}
