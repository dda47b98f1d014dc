import { type Command, InvalidArgumentError } from "commander";
import { DataType, modalities } from "../encoders/manifest.js";
import { hubSettings } from "../models/hub/hub-settings.js";
import { pullModel } from "../models/pull.js";
import { pullTarget } from "../models/pull-plan.js";
import { addConfigFlags, configOf, parseList, parseNumber } from "./options.js";
import { stopOnSignal } from "./stop-on-signal.js";
import { transferProgress } from "./transfer-progress.js";

/** `crossmodal models pull ID`: a model from a hub into the data folder. */
export function modelsPullCommand(models: Command): void {
  const pull = models
    .command("pull")
    .description("fetch a model from a hub: verified, resumable, pinned to a commit")
    .argument(
      "<id>",
      "built-in model (see models list) or hub repository, with @revision if not the newest",
    )
    .option(
      "--dtype <types>",
      "data types of the weights: fp32, fp16, int8, q4, comma-separated",
      parseDataTypes,
      ["fp32"],
    )
    .option("--id <name>", "id to install it as")
    .option(
      "--logit-scale <number>",
      "the learned multiplier of the cosine, if the hub does not have it",
      parseNumber,
    )
    .option("--logit-bias <number>", "the learned bias (SigLIP)", parseNumber)
    .option("--license <name>", "licence of the weights, if the hub does not have it")
    .option("--json", "print the result as JSON");
  addConfigFlags(pull, ["dataDir"]).action(async (spec: string, flags) => {
    const { dataDir } = configOf(flags);
    const { license, logitScale, logitBias, dtype: dtypes } = flags;
    const stop = stopOnSignal();
    const progress = transferProgress();
    try {
      const target = pullTarget(spec, flags);
      const hub = hubSettings(process.env);
      const options = {
        dataDir,
        hub,
        dtypes,
        license,
        logitScale,
        logitBias,
        signal: stop.signal,
        progress,
      };
      const { manifest, wasInstalled } = await pullModel(target, options);
      progress.stop();
      const { id, revision, source, family, dimensions, towers } = manifest;
      const present = modalities.filter((modality) => towers[modality] !== undefined);
      if (flags.json)
        console.log(JSON.stringify({ id, source, revision, dtypes, was_here: wasInstalled }));
      else {
        const description =
          `${family}, ${present.join("+")}, ${dimensions} ` + `dimensions, ${dtypes.join(", ")}`;
        console.log(
          `${wasInstalled ? `${id} is already installed` : `pulled ${id}`}: ${description}, from ` +
            `${source} at ${revision}`,
        );
      }
    } finally {
      progress.stop();
      stop.release();
    }
  });
}

function parseDataTypes(text: string): DataType[] {
  return parseList(text).map((name) => {
    const result = DataType.safeParse(name);
    if (result.success) return result.data;
    throw new InvalidArgumentError(
      `Expected ${DataType.options.join(", ")} but received "${name}".`,
    );
  });
}
