import type { Command } from "commander";
import { follow } from "./follow-job.js";
import { onTarget } from "./on-target.js";
import { print } from "./output.js";
import { CommandError } from "./target.js";

/** `crossmodal models load|unload`: what a running server has loaded. */
export function modelsLoadCommands(models: Command): void {
  const load = models
    .command("load")
    .description("load an installed model in a running server, or pull one there")
    .argument("<id>", "installed model; with --pull a built-in one or owner/name of the hub")
    .option("--pull", "fetch it from the hub first")
    .option("--reload", "read its files again if it is already loaded")
    .option("--pin", "keep it in memory");
  onTarget(load, { models: false }, async (target, flags, id: string) => {
    needsServer(flags);
    const { reload = false, pin } = flags as { reload?: boolean; pin?: true };
    const request = flags.pull === true ? { pull: id } : { model: id, reload, pinned: pin };
    const answer = await target.loadModel(request);
    if ("job" in answer) {
      const job = await follow(target, answer.job.id, flags.json === true);
      if (job.state !== "succeeded")
        throw new CommandError(job.error?.message ?? `the job is ${job.state}`);
      await print(flags.json === true ? JSON.stringify(job.result) : `pulled and loaded ${id}`);
    } else if (flags.json === true) await print(JSON.stringify(answer));
    else await print(`loaded ${answer.id}: ${answer.space}, ${answer.modalities.join("+")}`);
  });

  const unload = models
    .command("unload")
    .description("unload a model of a running server; its files stay")
    .argument("<id>");
  onTarget(unload, { models: false }, async (target, flags, id: string) => {
    needsServer(flags);
    const answer = await target.unloadModel(id);
    await print(flags.json === true ? JSON.stringify(answer) : `unloaded ${answer.id}`);
  });
}

function needsServer({ url }: { url?: unknown }): void {
  if (url !== undefined) return;
  throw new CommandError("Expected --url of a running server: models are loaded there", {
    code: "invalid_input",
  });
}
