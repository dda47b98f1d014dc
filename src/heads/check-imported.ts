import { applyHead, dimensionsIn, dimensionsOut, type ProjectionHead } from "../encoders/head.js";
import type { PackSpace } from "../encoders/pack-space.js";
import { AppError } from "../errors.js";
import { seededRandom } from "../math/random.js";
import { rowAt, rowCount, rowsOf, unitRows } from "../math/rows.js";
import { norm } from "../math/vector.js";
import type { FewShotFile } from "../training/few-shot-file.js";
import { lossNames } from "../training/losses/loss.js";
import { maxPromptCharacters } from "../zero-shot/prompts.js";
import { maxItems } from "./few-shot-job.js";
import type { HeadWeights } from "./head-files.js";
import type { HeadVersion } from "./head-version.js";

/** Most measures of a report; training writes 16. They are listed with every head. */
const maxMeasures = 64;
/** Logit scales and biases are learned up to 100; those of packs are of that size too. */
const maxLogit = 1000;
/** A probe's weights of one class: fitted ones stay below 1e4. */
const maxProbeWeight = 1e6;

/**
 * Checks that an imported version could have been trained here: its model
 * is installed, its space, modalities, dimensions and labels are the model's, and its weights give
 * directions and finite scores.
 * @param model  its model, undefined when it is not installed.
 * @throws AppError `model_corrupt` naming the part at fault.
 */
export function checkImported(
  version: HeadVersion,
  weights: HeadWeights,
  { model, maxLabels }: { model: PackSpace | undefined; maxLabels: number },
): void {
  if (model === undefined) throw unfit("model", `"${version.model}" is not installed`);
  if (version.fromSpace !== model.space)
    throw unfit("fromSpace", `"${version.fromSpace}", but the model embeds into "${model.space}"`);
  for (const [side, modality] of Object.entries(version.sides)) {
    if (modality !== undefined && !model.modalities.includes(modality))
      throw unfit(`sides.${side}`, `${modality}, which "${version.model}" does not understand`);
  }
  const isTraining = "verdict" in version.report;
  if (isTraining !== (version.kind === "projection"))
    throw unfit("report", `not that of a ${version.kind}`);
  if ("measures" in version.report) {
    const { measures, forgetting = {} } = version.report;
    const count = Math.max(Object.keys(measures).length, Object.keys(forgetting).length);
    if (count > maxMeasures)
      throw unfit("report.measures", `${count} measures; expected at most ${maxMeasures}`);
  }
  if (version.kind === "projection") checkProjection(version, weights, model.dimensions);
  else checkFewShot(version, weights.fewShot, { model, maxLabels });
}

function checkProjection(version: HeadVersion, { a, b }: HeadWeights, dimensions: number): void {
  const { sides, logits } = version;
  if (sides.b === undefined || sides.a === sides.b)
    throw unfit("sides", "not two modalities, one for each side");
  for (const [side, head] of [["a", a] as const, ["b", b] as const]) {
    const [from, to] = head ? [dimensionsIn(head), dimensionsOut(head)] : [dimensions, dimensions];
    if (from !== dimensions)
      throw unfit(side, `a head for ${from} numbers, but the model gives ${dimensions}`);
    if (to !== version.dimensions)
      throw unfit(side, `${to} numbers out, but its "dimensions" are ${version.dimensions}`);
    if (head !== undefined) checkDirections(head, side);
  }
  if (logits === undefined) return;
  const { scale, bias, loss } = logits;
  if (!(scale <= maxLogit && Math.abs(bias) <= maxLogit))
    throw unfit("logits", `scale ${scale} and bias ${bias}; expected at most ${maxLogit}`);
  if (!(lossNames as readonly string[]).includes(loss))
    throw unfit("logits.loss", `"${loss}"; expected one of ${lossNames.join(", ")}`);
}

/** A few random directions: a head that maps them to zero maps every embedding there. */
function checkDirections(head: ProjectionHead, side: string): void {
  const random = seededRandom(1);
  const normals = () => Array.from({ length: dimensionsIn(head) }, () => random.normal());
  const rows = unitRows(rowsOf([normals(), normals(), normals()]), side);
  try {
    applyHead(head, [rowAt(rows, 0), rowAt(rows, 1), rowAt(rows, 2)]);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw unfit(side, "weights that map embeddings to zero");
  }
}

function checkFewShot(
  version: HeadVersion,
  file: FewShotFile | undefined,
  { model, maxLabels }: { model: PackSpace; maxLabels: number },
): void {
  if (file === undefined) throw unfit("adapter", "missing");
  const { adapter, labels } = file;
  if (version.sides.b !== undefined) throw unfit("sides.b", `not for a ${version.kind}`);
  if (version.space !== version.fromSpace)
    throw unfit("space", `not its model's, as a ${version.kind}'s must be`);
  if (!model.modalities.includes("text"))
    throw unfit("model", "without text, which labels are embedded by");
  if (adapter.kind !== version.kind)
    throw unfit("adapter", `a ${adapter.kind}, but its description says ${version.kind}`);
  const { dimensions } = model;
  if (adapter.dimensions !== dimensions || version.dimensions !== dimensions)
    throw unfit("adapter", `${adapter.dimensions} columns, but the model gives ${dimensions}`);
  if (labels.length < 2 || labels.length > maxLabels)
    throw unfit("labels", `${labels.length} labels; expected 2 to ${maxLabels}`);
  const bad = labels.find((label) => label.trim() === "" || label.length > maxPromptCharacters);
  if (bad !== undefined) throw unfit("labels", "a label that is empty or too long");
  const { report } = version;
  if ("labels" in report && report.labels.join("\0") !== labels.join("\0"))
    throw unfit("report.labels", "other labels than its adapter");
  if (adapter.kind === "cache") {
    if (rowCount(adapter) > maxItems)
      throw unfit("adapter", `${rowCount(adapter)} items; expected at most ${maxItems}`);
    if (adapter.values !== unitRows(adapter, "keys").values)
      throw unfit("adapter", "keys that are not of length 1");
    return;
  }
  const rows = { values: adapter.weights, dimensions };
  for (let c = 0; c < adapter.classes; c++) {
    const size = Math.max(norm(rowAt(rows, c)), Math.abs(adapter.bias[c]));
    if (size > maxProbeWeight)
      throw unfit("adapter", `weights of length ${size}; expected at most ${maxProbeWeight}`);
  }
}

const unfit = (part: string, problem: string) =>
  new AppError(
    "model_corrupt",
    `The head cannot be used here because of its "${part}": ${problem}`,
  );
