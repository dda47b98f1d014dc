import { z } from "zod";
import { AppError } from "../errors.js";
import type { JobContext, JobData, JobKind } from "../jobs/job.js";
import { rowsOf } from "../math/rows.js";
import type { FewShotTask, LabelledItems } from "../training/few-shot.js";
import { fewShotInWorker } from "../training/train-in-worker.js";
import { hashOfData } from "../training/training-request.js";
import { classEmbeddings } from "../zero-shot/class-embeddings.js";
import { chooseTemplates } from "../zero-shot/prompts.js";
import type { TrainingServices } from "./train-job.js";
import { loadTrainingData } from "./training-data.js";
import { checkSpace, TrainingSource } from "./training-source.js";

/** The input of a few-shot job. */
export const FewShotInput = z.object({
  name: z.string(),
  model: z.string(),
  /** The model's space when the job was created. */
  space: z.string(),
  kind: z.enum(["cache", "probe"]),
  source: TrainingSource,
  labels: z.array(z.string()).optional(),
  l2: z.number().optional(),
  /** One for each item. */
  groups: z.array(z.string()).optional(),
  activate: z.boolean(),
});
export type FewShotInput = z.infer<typeof FewShotInput>;

/** Meant for a handful; train a head on more. */
export const maxItems = 5000;

/** `few-shot`: a cache adapter or linear probe from labelled items, kept as a version of a head. */
export function fewShotJob(services: TrainingServices): JobKind {
  return {
    lane: "training",
    run: (input, context) => run(FewShotInput.parse(input), context, services),
  };
}

async function run(
  input: FewShotInput,
  context: JobContext,
  services: TrainingServices,
): Promise<JobData> {
  const { folder, signal, report } = context;
  const pack = services.packs.find(input.model, "text");
  checkSpace(pack, input.space);
  const onProgress = (done: number, total: number) =>
    report((0.8 * done) / total, { stage: "embedding", done, total });
  const options = { ...services, pack, folder, signal, onProgress, mediaOnly: true };
  const data = await loadTrainingData(input.source, input.labels, options);
  const { sides, a, labels } = data;
  const fail = (param: string, message: string) =>
    new AppError("invalid_input", message, { param });
  if (labels === undefined) throw fail("labels", "Few-shot classification needs labelled items");
  if (labels.length > maxItems) {
    throw fail(
      "items",
      `Expected at most ${maxItems} items but received ${labels.length}: train a head on this many`,
    );
  }
  if (a.dimensions !== pack.manifest.dimensions) {
    throw fail(
      "a",
      `Expected ${pack.manifest.dimensions} numbers for each row but received ${a.dimensions}`,
    );
  }
  const names = [...new Set(labels)].sort();
  if (names.length < 2)
    throw fail("labels", `Expected at least two labels but all are "${names[0]}"`);
  const items: LabelledItems = {
    ...a,
    labels: Int32Array.from(labels, (label) => names.indexOf(label)),
    classes: names.length,
  };
  report(0.9, { stage: "fitting" });
  const templates = chooseTemplates({}, pack.manifest.promptTemplates[sides.a], sides.a);
  const { groups } = input;
  const task: FewShotTask =
    input.kind === "probe"
      ? { kind: "probe", items, groups, options: { l2: input.l2 } }
      : {
          kind: "cache",
          items,
          groups,
          texts: {
            weights: rowsOf(
              await classEmbeddings(pack.encoders.text!, names, { templates }, signal),
            ).values,
            logitScale: pack.manifest.logitScale,
          },
        };
  const { adapter, heldOut } = await fewShotInWorker(task, { signal });
  const version = await services.heads.add(
    input.name,
    {
      kind: input.kind,
      model: input.model,
      fromSpace: pack.space,
      dimensions: a.dimensions,
      sides: { a: sides.a },
      lineage: { data: hashOfData({ a, b: a, labels: items.labels }), job: context.job.id },
      report: {
        items: labels.length,
        labels: names,
        ...(heldOut && { heldOut }),
        ...(adapter.kind === "cache" && { alpha: adapter.alpha, beta: adapter.beta }),
      },
    },
    { fewShot: { adapter, labels: names } },
  );
  if (input.activate) await services.heads.activate(input.name, version);
  return {
    head: input.name,
    version,
    model: input.model,
    kind: input.kind,
    labels: names,
    activated: input.activate,
    ...(heldOut && { heldOut }),
    warnings: data.warnings,
  };
}
