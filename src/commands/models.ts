import { basename, dirname, resolve } from "node:path";
import type { Command } from "commander";
import { readManifest } from "../encoders/load.js";
import { modalities } from "../encoders/manifest.js";
import { AppError } from "../errors.js";
import { addModel, filesOf, removeModel } from "../models/add.js";
import { verifiedPackFile } from "../models/pack-files.js";
import { findManifest, installedIds } from "../models/store.js";
import { addConfigFlags, configOf, parseNumber } from "./options.js";
import { CommandError } from "./target.js";

/** `crossmodal models`: what is installed, and whether its files are the ones that were meant. */
export function modelsCommand(program: Command): void {
  const models = program.command("models").description("list and verify installed models");

  const list = models.command("list").description("installed models").option("--json", "print as JSON");
  addConfigFlags(list, ["dataDir"]).action(async (given) => {
    const { dataDir } = configOf(given);
    for (const id of installedIds(dataDir)) {
      const manifest = await readManifest(findManifest(dataDir, id));
      const { family, dimensions, license, source } = manifest;
      const towers = modalities.filter((modality) => manifest.towers[modality] !== undefined);
      if (given.json) console.log(JSON.stringify({ id, family, dimensions, modalities: towers, license, source }));
      else
        console.log(`${id.padEnd(20)} ${family.padEnd(7)} ${towers.join("+").padEnd(12)} ${dimensions} d  ${license}`);
    }
  });

  const verify = models
    .command("verify")
    .description("hash every file again")
    .argument("[ids...]", "models; all when left out");
  addConfigFlags(verify, ["dataDir"]).action(async (ids: string[], given) => {
    const { dataDir } = configOf(given);
    let failed = 0;
    for (const id of ids.length > 0 ? ids : installedIds(dataDir)) {
      const path = findManifest(dataDir, id);
      for (const file of filesOf(await readManifest(path))) {
        try {
          await verifiedPackFile(dirname(path), file);
          console.log(`ok      ${id}  ${file.path}`);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          failed++;
          console.log(`FAILED  ${id}  ${error.message}`);
        }
      }
    }
    if (failed > 0)
      throw new CommandError(`${failed} ${failed === 1 ? "file is" : "files are"} not what the manifest says`);
  });

  const add = models
    .command("add")
    .description("install a folder in the hub's ONNX layout")
    .argument("<folder>", "holds config.json, preprocessor_config.json, tokenizer.json and onnx/*.onnx")
    .option("--id <name>", "id to install it as; the folder's name when left out")
    .option("--logit-scale <number>", "the learned multiplier of the cosine (CLIP: 100)", parseNumber)
    .option("--logit-bias <number>", "the learned bias (SigLIP)", parseNumber)
    .option("--license <name>", "licence of the weights");
  addConfigFlags(add, ["dataDir"]).action(async (folder: string, given) => {
    const id = given.id ?? basename(resolve(folder)).toLowerCase();
    const { license, logitScale, logitBias } = given;
    const options = { id, source: basename(resolve(folder)), license, logitScale, logitBias };
    const manifest = await addModel(folder, configOf(given).dataDir, options);
    const towers = modalities.filter((modality) => manifest.towers[modality] !== undefined);
    console.log(`added ${id}: ${manifest.family}, ${towers.join("+")}, ${manifest.dimensions} dimensions`);
  });

  const remove = models.command("remove").description("remove an added model").argument("<id>");
  addConfigFlags(remove, ["dataDir"]).action(async (id: string, given) => {
    await removeModel(configOf(given).dataDir, id);
    console.log(`removed ${id}`);
  });
}
