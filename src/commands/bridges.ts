import { type Command, Option } from "commander";
import { bridgeMethods } from "../training/bridge-options.js";
import type { BridgeAnswer, BridgeBody, BridgeResult, CrossRecall } from "../wire/bridges.js";
import { followToSuccess } from "./follow-job.js";
import { onTarget } from "./on-target.js";
import { parseNumber } from "./options.js";
import { print } from "./output.js";
import { table } from "./table.js";
import { readBytes } from "./train-material.js";

/** `crossmodal bridge FROM TO`: learns a bridge between two models, with a progress bar. */
export function bridgeCommand(program: Command): void {
  const bridge = program
    .command("bridge")
    .description(
      "learn a bridge from one model's space into another's, from texts that both understand",
    )
    .argument("<from>", "model of the queries, e.g. starter-clap")
    .argument("<to>", "model of the searched items, e.g. starter-clip")
    .addOption(new Option("--method <name>", "how").choices(bridgeMethods).default("ridge"))
    .option("--name <name>", "name of the bridge [FROM-to-TO]")
    .option("--texts <file>", "one text per line, instead of the built-in sentences")
    .option("--from-collection <name>", "items of the first model, as unlabelled memory")
    .option("--to-collection <name>", "items of the second model")
    .option("--label-by <field>", "metadata field of both that recall is measured by")
    .option("--seed <n>", "of what is random [1]", parseNumber)
    .option("--epochs <n>", "of c-mcr [20]", parseNumber)
    .option("--no-activate", "store the version without activating it")
    .option("--force", "use it even if it measures no better than the bridge in use");
  onTarget(bridge, { models: true }, async (target, flags, from: string, to: string) => {
    const { texts } = flags;
    const lines = texts && (await readBytes(texts)).toString("utf8").split(/\r?\n/);
    const body = {
      from,
      to,
      method: flags.method,
      name: flags.name,
      texts: lines?.filter((line: string) => line.trim() !== ""),
      from_collection: flags.fromCollection,
      to_collection: flags.toCollection,
      label_by: flags.labelBy,
      seed: flags.seed,
      epochs: flags.epochs,
      activate: whenToActivate(flags),
    };
    const { job } = await target.learnBridge(body);
    const { result } = await followToSuccess(target, job.id, flags.json === true);
    if (flags.json) return print(JSON.stringify(result));
    const bridge = result as BridgeResult;
    await print(
      `${bridge.bridge}, version ${bridge.version}, ${bridge.activated ? "active" : "not active"}`,
    );
    await print(bridge.verdict.reason.replace('"from_collection"', "--from-collection"));
    if (bridge.recall === undefined) return;
    const cell = ({ recall, interval }: CrossRecall["at_1"]) =>
      `${recall.toFixed(3)} (${interval.map((x) => x.toFixed(2)).join(" to ")})`;
    const ks = ["at_1", "at_5", "at_10"] as const;
    const rows = Object.entries(bridge.recall).map(([name, recall]) => [
      name,
      ...ks.map((k) => cell(recall[k])),
    ]);
    const chance = ["chance", ...ks.map((k) => bridge.recall!.bridge[k].chance.toFixed(3))];
    for (const line of table(["", "recall@1", "recall@5", "recall@10"], [...rows, chance]))
      await print(line);
  });
}

/**
 * `crossmodal bridges`: list, activate, roll back. Models are loaded, since a bridge is useful only
 * between their spaces.
 */
export function bridgesCommand(program: Command): void {
  const bridges = program
    .command("bridges")
    .description("list, activate and delete bridges between models");

  const list = bridges
    .command("list", { isDefault: true })
    .description("all bridges (the default)");
  onTarget(list, { models: true }, async (target, flags) => {
    const { data } = await target.listBridges();
    if (flags.json) for (const bridge of data) await print(JSON.stringify(bridge));
    else {
      const rows = data.map((one) => [
        one.name,
        one.version ?? "none",
        one.active ? "in use" : "not in use",
        one.from_space ?? "",
        one.to_space ?? "",
      ]);
      for (const line of table(["name", "version", "", "from", "to"], rows)) await print(line);
    }
  });

  const show = bridges.command("show").description("a bridge's versions").argument("<name>");
  onTarget(show, { models: true }, async (target, flags, name: string) => {
    await printBridge(await target.getBridge(name), flags.json === true);
  });

  const activate = bridges
    .command("activate")
    .description("use a version for searches from now on")
    .argument("<name>")
    .argument("<version>", "number of the version", parseNumber);
  onTarget(activate, { models: true }, async (target, flags, name: string, version: number) => {
    await printBridge(await target.activateBridge(name, { version }), flags.json === true);
  });

  const deactivate = bridges
    .command("deactivate")
    .description("stop using it for searches")
    .argument("<name>");
  onTarget(deactivate, { models: true }, async (target, flags, name: string) => {
    await printBridge(await target.deactivateBridge(name), flags.json === true);
  });

  const rollback = bridges
    .command("rollback")
    .description("go back to the previous version")
    .argument("<name>");
  onTarget(rollback, { models: true }, async (target, flags, name: string) => {
    await printBridge(await target.rollbackBridge(name), flags.json === true);
  });

  const deleted = bridges
    .command("delete")
    .description("delete the versions made here")
    .argument("<name>");
  onTarget(deleted, { models: true }, async (target, flags, name: string) => {
    const answer = await target.deleteBridge(name);
    await print(flags.json ? JSON.stringify(answer) : `deleted the versions of ${name} made here`);
  });
}

async function printBridge(bridge: BridgeAnswer, json: boolean): Promise<void> {
  if (json) return print(JSON.stringify(bridge));
  const use = bridge.active ? "in use" : "not in use";
  // Without an active version it leads nowhere
  const way = bridge.from_space === null ? "" : `${bridge.from_space} -> ${bridge.to_space}, `;
  await print(`${bridge.name}: ${way}${use}`);
  const rows = bridge.versions.map((version) => [
    version.version,
    version.active ? "active" : "",
    version.shipped ? "shipped" : "made here",
    version.method ?? "",
    ...measured(version.report),
    version.unusable ?? "",
  ]);
  for (const line of table(["version", "", "origin", "method", "rank before", "after", ""], rows))
    await print(line);
}

/** Mean reciprocal rank of held-out texts, where the report has it. */
function measured(report: unknown): [before: string, after: string] {
  const { verdict } = (report ?? {}) as { verdict?: { before: number; after: number } };
  return verdict === undefined ? ["", ""] : [verdict.before.toFixed(3), verdict.after.toFixed(3)];
}

function whenToActivate(flags: { activate?: boolean; force?: boolean }): BridgeBody["activate"] {
  if (flags.activate === false) return "never";
  return flags.force ? "always" : "if_improved";
}
