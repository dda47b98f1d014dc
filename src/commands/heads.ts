import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import type { HeadAnswer, HeadChanged } from "../wire/heads.js";
import { followToSuccess } from "./follow-job.js";
import { onTarget } from "./on-target.js";
import { parseNumber } from "./options.js";
import { print } from "./output.js";
import { table } from "./table.js";
import type { Target } from "./target.js";
import { readBytes } from "./train-material.js";

/** `crossmodal heads`: versions side by side, activation, roll-back, export and import. */
export function headsCommand(program: Command): void {
  const heads = program
    .command("heads")
    .description("list, activate, export and delete trained heads");

  const list = heads.command("list", { isDefault: true }).description("all heads (the default)");
  onTarget(list, { models: false }, async (target, flags) => {
    const { data } = await target.listHeads();
    if (flags.json) for (const head of data) await print(JSON.stringify(head));
    else if (data.length === 0) await print("no heads");
    else {
      const rows = data.map((head) => [
        head.name,
        head.model ?? "",
        head.version ?? "none",
        head.versions.length,
      ]);
      for (const line of table(["name", "model", "active", "versions"], rows)) await print(line);
    }
  });

  const show = heads
    .command("show")
    .description("a head's versions side by side")
    .argument("<name>");
  onTarget(show, { models: false }, async (target, flags, name: string) => {
    await printHead(await target.getHead(name), flags.json === true);
  });

  const activate = heads
    .command("activate")
    .description("use a version from now on; collections that follow the head are projected again")
    .argument("<name>")
    .argument("<version>", "number of the version", parseNumber)
    .option("--force", "even if training found no improvement");
  onTarget(activate, { models: false }, async (target, flags, name: string, version: number) => {
    const head = await target.activateHead(name, { version, force: flags.force === true });
    await awaitJobs(target, head, flags.json === true);
  });

  const deactivate = heads
    .command("deactivate")
    .description("use no version; collections that follow the head stay unchanged")
    .argument("<name>");
  onTarget(deactivate, { models: false }, async (target, flags, name: string) => {
    await printHead(await target.deactivateHead(name), flags.json === true);
  });

  const rollback = heads
    .command("rollback")
    .description("go back to the previously active version")
    .argument("<name>");
  onTarget(rollback, { models: false }, async (target, flags, name: string) => {
    const head = await target.rollbackHead(name);
    await awaitJobs(target, head, flags.json === true);
  });

  const exported = heads
    .command("export")
    .description("write a version to a file")
    .argument("<name>")
    .argument("<version>", "number of the version", parseNumber)
    .argument("<file>");
  onTarget(
    exported,
    { models: false },
    async (target, { json }, name: string, version: number, file: string) => {
      await writeFile(file, (await target.exportHead(name, version)).stream());
      await print(
        json ? JSON.stringify({ name, version, file }) : `${name}, version ${version}: ${file}`,
      );
    },
  );

  const imported = heads
    .command("import")
    .description("add an exported version")
    .argument("<file>")
    .option("--name <name>", "name to import it as");
  onTarget(imported, { models: false }, async (target, flags, file: string) => {
    const head = await target.importHead(await readBytes(file), { name: flags.name });
    await printHead(head, flags.json === true);
  });

  const deleted = heads
    .command("delete")
    .description("delete a head, or one version of it")
    .argument("<name>")
    .option("--version-number <n>", "only this version", parseNumber)
    .option("--force", "also while a version is active");
  onTarget(deleted, { models: false }, async (target, flags, name: string) => {
    const { versionNumber, force } = flags;
    const answer =
      versionNumber === undefined
        ? await target.deleteHead(name, { force: force === true })
        : await target.deleteHeadVersion(name, versionNumber);
    const subject = versionNumber === undefined ? name : `${name}, version ${versionNumber}`;
    await print(flags.json ? JSON.stringify(answer) : `deleted ${subject}`);
  });
}

/** Waits for re-projected collections: those jobs would end with this process. */
async function awaitJobs(target: Target, head: HeadChanged, json: boolean): Promise<void> {
  for (const { id } of head.jobs) await followToSuccess(target, id, false);
  await printHead(head, json);
}

async function printHead(head: HeadAnswer, json: boolean): Promise<void> {
  if (json) return print(JSON.stringify(head));
  const digits = (x: number | undefined) => (x === undefined ? "" : x.toFixed(3));
  const rows = head.versions.map((version) => {
    const active = version.active ? "active" : "";
    if ("error" in version) return [version.version, active, "", "", "", "", "", "", version.error];
    const { measures, verdict, held_out: heldOut, pairs, items, created_at: createdAt } = version;
    const rank = measures?.mean_reciprocal_rank;
    return [
      version.version,
      active,
      version.loss === undefined ? version.kind : `${version.kind}, ${version.loss}`,
      version.modalities.join(", "),
      pairs ?? items ?? "",
      digits(rank?.before),
      digits(rank?.after ?? heldOut?.accuracy),
      createdAt.slice(0, 10),
      verdict === null ? "" : verdict.improved ? "improved" : "not improved",
    ];
  });
  await print(`${head.name} of ${head.model}${head.space === null ? "" : `, space ${head.space}`}`);
  const headings = [
    ...["version", "", "kind", "modalities", "pairs"],
    ...["MRR before", "or accuracy after", "made", "verdict"],
  ];
  for (const line of table(headings, rows)) await print(line);
}
