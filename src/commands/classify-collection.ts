import type { Command } from "commander";
import { Failures } from "./failures.js";
import { followToSuccess } from "./follow-job.js";
import { addSelectionFlags, selectionOf } from "./item-selection.js";
import { addLabelFlags, checkLabelFlags, labelFields } from "./label-flags.js";
import { onTarget } from "./on-target.js";
import { print } from "./output.js";
import { printWarnings } from "./print-warnings.js";
import { table } from "./table.js";
import { CommandError } from "./target.js";

/**
 * `crossmodal collections classify`: tags the items of a collection by the embeddings they have, by
 * the same job as over HTTP.
 */
export function classifyCollectionCommand(collections: Command): void {
  const classify = collections
    .command("classify")
    .description("write labels into the metadata of stored items, without embedding them again")
    .argument("<name>", "collection or alias")
    .option("--field <name>", "metadata field to write the labels to [tags]");
  addLabelFlags(classify.optionsGroup("Which labels:"));
  addSelectionFlags(classify.optionsGroup("Which items [all]:"));
  const needs = { models: true, stored: true, check: checkLabelFlags } as const;
  onTarget(classify, needs, async (target, flags, name: string) => {
    const filter = selectionOf(flags);
    const body = { ...(await labelFields(flags)), filter, field: flags.field };
    const { job } = await target.classifyCollection(name, body);
    const { result } = await followToSuccess(target, job.id, flags.json === true);
    if (flags.json) return print(JSON.stringify(result));
    const { items, labelled, counts, skipped, warnings } = result as Tagged;
    await print(`${name}: ${labelled} of ${items} items have labels`);
    for (const line of table(["label", "items"], Object.entries(counts))) await print(line);
    printWarnings(warnings, name);
    if (skipped.items === 0) return;
    const failures = new Failures();
    for (const { id, reason } of skipped.first) failures.add(id, reason);
    const lines = [...failures.lines(), `${skipped.items} items could not be scored`];
    throw new CommandError(lines.join("\ncrossmodal: "));
  });
}

/** Of the job (docs/tagging.md). */
type Tagged = {
  items: number;
  labelled: number;
  /** Items of each label, most first. */
  counts: Record<string, number>;
  skipped: { items: number; first: { id: string; reason: string }[] };
  warnings: string[];
};
