import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { readManifest } from "../encoders/load.js";
import { DataType, type Manifest, modalities } from "../encoders/manifest.js";
import { addModel, filesOf, removeModel } from "../models/add.js";
import { builtIns } from "../models/built-in.js";
import { findManifest, installedIds } from "../models/store.js";
import { modelsPullCommand } from "./models-pull.js";
import { modelsVerifyCommand } from "./models-verify.js";
import { addConfigFlags, configOf, parseNumber } from "./options.js";

/** `crossmodal models`: what is installed and what can be, and whether the files are the ones that were meant. */
export function modelsCommand(program: Command): void {
  const models = program.command("models").description("pull, list, verify and remove models");

  modelsPullCommand(models);

  const list = models
    .command("list")
    .description("installed models, and those that can be pulled")
    .option("--json", "print as JSON, a line each");
  addConfigFlags(list, ["dataDir"]).action(async (given) => {
    const { dataDir } = configOf(given);
    const ids = installedIds(dataDir);
    const installed = await Promise.all(ids.map((id) => readManifest(findManifest(dataDir, id))));
    const available = builtIns().filter(({ id }) => !ids.includes(id));
    if (given.json) {
      for (const manifest of installed) console.log(JSON.stringify({ installed: true, ...about(manifest) }));
      for (const { id, family, dimensions, modalities, license, repo } of available)
        console.log(JSON.stringify({ installed: false, id, family, dimensions, modalities, license, source: repo }));
      return;
    }
    const row = (id: string, family: string, modalities: string[], rest: string[]) =>
      [id.padEnd(28), family.padEnd(7), modalities.join("+").padEnd(12), ...rest].join(" ");
    for (const manifest of installed) {
      const { id, family, modalities, dimensions, dtypes, bytes, license } = about(manifest);
      const size = `${(bytes / 1e6).toFixed(1)} MB`;
      console.log(
        row(id, family, modalities, [`${dimensions} d`, dtypes.join(",").padEnd(10), size.padStart(10), ` ${license}`]),
      );
    }
    if (available.length > 0) console.log("\nnot here yet; get one with: crossmodal models pull ID");
    for (const { id, family, modalities, dimensions, license, about: sentence } of available)
      console.log(row(id, family, modalities, [`${dimensions} d`, `${license}  ${sentence}`]));
  });

  modelsVerifyCommand(models);

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

  const remove = models
    .command("remove")
    .description("remove a pulled or added model, or what an unfinished pull left")
    .argument("<id>");
  addConfigFlags(remove, ["dataDir"]).action(async (id: string, given) => {
    await removeModel(configOf(given).dataDir, id);
    console.log(`removed ${id}`);
  });
}

/** What a list tells of an installed model; `bytes` of all its files. */
function about(manifest: Manifest) {
  const { id, family, dimensions, license, source, revision, towers } = manifest;
  return {
    id,
    family,
    dimensions,
    modalities: modalities.filter((modality) => towers[modality] !== undefined),
    dtypes: DataType.options.filter((dtype) =>
      modalities.some((modality) => towers[modality]?.files[dtype] !== undefined),
    ),
    bytes: filesOf(manifest).reduce((total, { size = 0 }) => total + size, 0),
    license,
    source,
    revision,
  };
}
