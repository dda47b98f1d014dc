import { dirname } from "node:path";
import type { Command } from "commander";
import { verifiedPackFile } from "../encoders/pack-files.js";
import { readManifest } from "../encoders/read-manifest.js";
import { AppError } from "../errors.js";
import { filesOf } from "../models/add.js";
import { findManifest, installedIds } from "../models/store.js";
import { type GoldenResult, goldenResults } from "./golden-results.js";
import { addConfigFlags, configOf } from "./options.js";
import { print } from "./output.js";
import { CommandError } from "./target.js";

/**
 * `crossmodal models verify`: checks the files' hashes and, with `--golden`, reproduces published
 * results.
 */
export function modelsVerifyCommand(models: Command): void {
  const verify = models
    .command("verify")
    .description("hash every file again; with --golden also compare published results")
    .argument("[ids...]", "models; all when left out")
    .option("--json", "print as JSON, a line for each file and published result")
    .option("--golden", "run the model's samples that have published results")
    .option(
      "--media <files...>",
      "the samples' pictures and sounds, by file name (listed when missing)",
    );
  addConfigFlags(verify, ["dataDir", "device", "threads"]).action(async (ids: string[], flags) => {
    const config = configOf(flags);
    const { dataDir } = config;
    let failed = 0;
    const printResult = (result: object, line: string) =>
      print(flags.json ? JSON.stringify(result) : line);
    const attempt = async <T>(
      id: string,
      path: string,
      work: () => Promise<T>,
    ): Promise<T | undefined> => {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        failed++;
        const { code, message } = error;
        await printResult({ id, path, ok: false, code, message }, `FAILED  ${id}  ${message}`);
        return undefined;
      }
    };
    for (const id of ids.length > 0 ? ids : installedIds(dataDir)) {
      const path = findManifest(dataDir, id);
      const manifest = await attempt(id, "manifest.json", () => readManifest(path));
      for (const file of manifest === undefined ? [] : filesOf(manifest)) {
        const found = await attempt(id, file.path, () => verifiedPackFile(dirname(path), file));
        if (found !== undefined)
          await printResult({ id, path: file.path, ok: true }, `ok      ${id}  ${file.path}`);
      }
    }
    if (failed > 0)
      throw new CommandError(
        `${failed} ${failed === 1 ? "file does" : "files do"} not match the manifest`,
      );
    if (flags.golden !== true) return;
    const targets = ids.length > 0 ? ids : installedIds(dataDir);
    const compared: GoldenResult[] = [];
    for (const id of targets)
      compared.push(...(await goldenResults(id, config, flags.media ?? [])));
    for (const result of compared) {
      const { id, what, verdict, detail } = result;
      await printResult(result, `${verdict.padEnd(7)} ${id}  ${what}: ${detail}`);
    }
    const off = compared.filter(({ verdict }) => verdict === "FAILED").length;
    if (off > 0)
      throw new CommandError(
        `${off} published ${off === 1 ? "result is" : "results are"} not reproduced`,
      );
    if (compared.every(({ verdict }) => verdict === "skipped"))
      throw new CommandError("No published result was compared");
  });
}
