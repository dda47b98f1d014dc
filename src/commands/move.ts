import type { Command } from "commander";
import type { MoveResult } from "../wire/move.js";
import { Failures } from "./failures.js";
import { followToSuccess } from "./follow-job.js";
import { onTarget } from "./on-target.js";
import { print } from "./output.js";
import { CommandError } from "./target.js";

/**
 * `crossmodal collections move`: embeds a collection with another model, by the same job as over
 * HTTP.
 */
export function moveCommand(collections: Command): void {
  const move = collections
    .command("move")
    .description("embed a collection again with another model, into a new collection")
    .argument("<name>", "collection or alias")
    .requiredOption("--model <id>", "model of the new collection")
    .requiredOption("--into <name>", "name of the new collection")
    .option("--head <name>", "embed through the active version of this head of the model")
    .option("--alias <name>", "points to the new collection at the end [the alias that was given]")
    .option("--allow-missing", "move the alias although items could not be embedded again");
  const needs = { models: true, stored: true, options: ["sourceFolders", "urlHosts"] } as const;
  onTarget(move, needs, async (target, flags, name: string) => {
    const { model, into, head, alias, allowMissing } = flags;
    const body = { model, into, head, alias, allow_missing: allowMissing === true };
    const { job } = await target.moveCollection(name, body);
    const { result } = await followToSuccess(target, job.id, flags.json === true);
    const moved = result as MoveResult;
    if (flags.json) return print(JSON.stringify(moved));
    const { items, missing, space } = moved;
    await print(`${into}: ${items} items in ${space}`);
    if (moved.alias?.moved) await print(`${moved.alias.name} now points to ${into}`);
    if (missing.items === 0) return;
    const failures = new Failures();
    for (const { id, reason } of missing.first) failures.add(id, reason);
    const stays =
      moved.alias === undefined || moved.alias.moved
        ? ""
        : `; the alias "${moved.alias.name}" was not moved (--allow-missing)`;
    const lines = [...failures.lines(), `${missing.items} items are missing in ${into}${stays}`];
    throw new CommandError(lines.join("\ncrossmodal: "));
  });
}
