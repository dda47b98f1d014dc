import type { Command } from "commander";
import type { CalibrationAnswer, CalibrationResult } from "../wire/calibrations.js";
import { followToSuccess } from "./follow-job.js";
import { onTarget } from "./on-target.js";
import { parseNumber } from "./options.js";
import { print } from "./output.js";
import { table } from "./table.js";

/** `crossmodal calibrate` makes a calibration of a collection; `calibrations` lists and chooses. */
export function calibrateCommands(program: Command): void {
  const calibrate = program
    .command("calibrate")
    .description("use a collection's items as background and, with --by, as labelled examples")
    .argument("<name>", "of the calibration; if it exists, it gets a new version")
    .requiredOption("--collection <name>", "items that no label fits, or labelled ones")
    .option("--by <field>", "metadata field with the label of each item")
    .option("--modality <image|audio>", "of the items, if the collection has both")
    .option("--no-activate", "store the version without activating it");
  onTarget(calibrate, { models: true }, async (target, flags, name: string) => {
    const { collection, by, modality, activate } = flags;
    const { job } = await target.calibrate({ name, collection, by, modality, activate });
    const ended = await followToSuccess(target, job.id, flags.json === true);
    const result = ended.result as CalibrationResult;
    if (flags.json) return print(JSON.stringify(result));
    for (const line of linesOf(result)) await print(line);
  });

  const calibrations = program
    .command("calibrations")
    .description("list, show, activate and delete calibrations");
  const list = calibrations
    .command("list", { isDefault: true })
    .description("all calibrations (the default)");
  onTarget(list, { models: false }, async (target, flags) => {
    const { data } = await target.listCalibrations();
    if (flags.json) for (const one of data) await print(JSON.stringify(one));
    else if (data.length === 0) await print("no calibrations");
    else {
      const rows = data.map(({ name, version, versions }) => [
        name,
        version ?? "none",
        versions.length,
      ]);
      for (const line of table(["name", "active", "versions"], rows)) await print(line);
    }
  });
  const show = calibrations
    .command("show")
    .description("a calibration's versions side by side")
    .argument("<name>");
  onTarget(show, { models: false }, async (target, flags, name: string) => {
    await printCalibration(await target.getCalibration(name), flags.json === true);
  });
  const activate = calibrations
    .command("activate")
    .description("use a version from now on")
    .argument("<name>")
    .argument("<version>", "number of the version", parseNumber);
  onTarget(activate, { models: false }, async (target, flags, name: string, version: number) => {
    await printCalibration(
      await target.activateCalibration(name, { version }),
      flags.json === true,
    );
  });
  const deleted = calibrations
    .command("delete")
    .description("delete a calibration with its versions")
    .argument("<name>");
  onTarget(deleted, { models: false }, async (target, flags, name: string) => {
    const answer = await target.deleteCalibration(name);
    if (flags.json) await print(JSON.stringify(answer));
  });
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function linesOf(result: CalibrationResult): string[] {
  const { calibration, version, activated, items, background, labels, report } = result;
  const lines = [
    `${calibration}, version ${version}${activated ? ", active" : ""}`,
    `${items} items${labels.length > 0 ? ` of ${labels.length} labels` : ""}, ${background} ` +
      "of them as background",
  ];
  if (report === null) {
    if (labels.length > 0)
      lines.push(
        "too few labels to measure how well it keeps a false-alarm rate: at least 8 are " +
          "needed, and more are better",
      );
    return lines;
  }
  const at5 = report.false_alarms.find(({ asked }) => asked === 0.05);
  lines.push(
    `on labels left out: AUROC ${report.auroc.value.toFixed(3)}, false alarms at 5 %: ` +
      `${percent(at5!.realised.value)} (${at5!.realised.interval.map(percent).join(" to ")}), ` +
      `calibration error ${report.multi_label.ece.value.toFixed(4)}`,
  );
  if (at5!.realised.interval[1] > 3 * at5!.asked)
    lines.push(
      "so the rate depends on which labels are left out: fit it on items with more labels",
    );
  return lines;
}

async function printCalibration(answer: CalibrationAnswer, json: boolean): Promise<void> {
  if (json) return print(JSON.stringify(answer));
  const rows = answer.versions.map((one) => {
    const active = one.active ? "active" : "";
    if ("error" in one) return [one.version, active, "", "", "", one.error];
    return [
      one.version,
      active,
      one.model,
      one.collection,
      one.items,
      one.report === null ? "" : one.report.auroc.value.toFixed(3),
    ];
  });
  const headings = ["version", "", "model", "collection", "items", "AUROC"];
  for (const line of table(headings, rows)) await print(line);
}
