import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { DataType, type Manifest, modalities } from "../encoders/manifest.js";
import { readManifest } from "../encoders/read-manifest.js";
import { AppError } from "../errors.js";
import { addModel, filesOf, removeModel } from "../models/add.js";
import { builtIns } from "../models/built-in.js";
import { findManifest, installedIds } from "../models/store.js";
import { modelsLoadCommands } from "./models-load.js";
import { modelsPullCommand } from "./models-pull.js";
import { modelsVerifyCommand } from "./models-verify.js";
import { addConfigFlags, configOf, parseNumber } from "./options.js";
import { print } from "./output.js";
import { table } from "./table.js";
import { CommandError } from "./target.js";

/**
 * `crossmodal models`: installed and available models, and checks of their files.
 */
export function modelsCommand(program: Command): void {
  const models = program.command("models").description("pull, list, verify and remove models");

  modelsPullCommand(models);

  const list = models
    .command("list", { isDefault: true })
    .description("installed models, and those that can be pulled (the default)")
    .option("--json", "print as JSON, a line each");
  addConfigFlags(list, ["dataDir"]).action(async (flags) => {
    const { dataDir } = configOf(flags);
    const ids = installedIds(dataDir);
    const unreadable: string[] = [];
    const installed: ReturnType<typeof rowOf>[] = [];
    for (const id of ids) {
      try {
        installed.push(rowOf(await readManifest(findManifest(dataDir, id))));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        unreadable.push(error.message);
      }
    }
    const available = builtIns().filter(({ id }) => !ids.includes(id));
    if (flags.json) {
      for (const model of installed) await print(JSON.stringify({ installed: true, ...model }));
      for (const { id, family, dimensions, modalities, license, repo } of available)
        await print(
          JSON.stringify({
            installed: false,
            id,
            family,
            dimensions,
            modalities,
            license,
            source: repo,
          }),
        );
    } else {
      const rows = installed.map(
        ({ id, family, modalities, dimensions, dtypes, bytes, license }) => {
          const size = `${(bytes / 1e6).toFixed(1)} MB`;
          return [id, family, modalities.join("+"), dimensions, dtypes.join(","), size, license];
        },
      );
      const headings = [
        "installed",
        "family",
        "modalities",
        "dimensions",
        "data types",
        "size",
        "license",
      ];
      for (const line of table(headings, rows)) await print(line);
      const others = available.map(({ id, family, modalities, dimensions, license, about }) => {
        return [id, family, modalities.join("+"), dimensions, license, about];
      });
      if (others.length > 0) await print("\nget one of these with: crossmodal models pull ID");
      for (const line of table(
        ["available", "family", "modalities", "dimensions", "license", "about"],
        others,
      ))
        await print(line);
    }
    if (unreadable.length > 0) throw new CommandError(unreadable.join("\ncrossmodal: "));
  });

  modelsVerifyCommand(models);
  modelsLoadCommands(models);

  const add = models
    .command("add")
    .description("install a folder in the ONNX layout of the hub or of Immich")
    .argument(
      "<folder>",
      "holds config.json, preprocessor_config.json, tokenizer.json and onnx/*.onnx",
    )
    .option("--id <name>", "id to install it as [the folder's name]")
    .option(
      "--logit-scale <number>",
      "the learned multiplier of the cosine (CLIP: 100)",
      parseNumber,
    )
    .option("--logit-bias <number>", "the learned bias (SigLIP)", parseNumber)
    .option("--license <name>", "licence of the weights");
  addConfigFlags(add, ["dataDir"]).action(async (folder: string, flags) => {
    const id = flags.id ?? basename(resolve(folder)).toLowerCase();
    const { license, logitScale, logitBias } = flags;
    const options = { id, source: basename(resolve(folder)), license, logitScale, logitBias };
    const manifest = await addModel(folder, configOf(flags).dataDir, options);
    const towers = modalities.filter((modality) => manifest.towers[modality] !== undefined);
    console.log(
      `added ${id}: ${manifest.family}, ${towers.join("+")}, ${manifest.dimensions} dimensions`,
    );
  });

  const remove = models
    .command("remove")
    .description("remove a pulled or added model, or the rest of an unfinished pull")
    .argument("<id>");
  addConfigFlags(remove, ["dataDir"]).action(async (id: string, flags) => {
    await removeModel(configOf(flags).dataDir, id);
    console.log(`removed ${id}`);
  });
}

/** An installed model in a list; `bytes` is the size of all its files. */
function rowOf(manifest: Manifest) {
  const { id, family, dimensions, license, source, revision, towers } = manifest;
  return {
    id,
    family,
    dimensions,
    modalities: modalities.filter((modality) => towers[modality] !== undefined),
    dtypes: DataType.options.filter((dtype) =>
      modalities.some((modality) => towers[modality]?.files[dtype] !== undefined),
    ),
    bytes: filesOf(manifest).reduce((total, { size }) => total + size, 0),
    license,
    source,
    revision,
  };
}
