import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Config } from "../config.js";
import type { Modality } from "../encoders/encoder.js";
import type { Packs } from "../encoders/packs.js";
import { AppError, invalidInput } from "../errors.js";
import type { VectorStore } from "../index/vector-store.js";
import type { JobContext, JobData, JobKind } from "../jobs/job.js";
import { rowCount } from "../math/rows.js";
import type { MediaBudget } from "../media/budget.js";
import type { Media } from "../media/media.js";
import type { HeadChoice } from "../training/initial-head.js";
import {
  type ScreeningOptions,
  type ScreeningReport,
  suspiciousPairs,
} from "../training/screening.js";
import { screenInWorker, trainInWorker } from "../training/train-in-worker.js";
import type { Split, TrainingOptions, TrainingRequest } from "../training/training-request.js";
import { projectionOf } from "./head-path.js";
import type { HeadStore } from "./head-store.js";
import { headedModalities } from "./head-version.js";
import { screeningReport, worstOf } from "./screening-report.js";
import { loadTrainingData, type TrainingData } from "./training-data.js";
import { checkSpace, readRowsFile, TrainingSource } from "./training-source.js";

/**
 * The input of a training job. Large arrays are stored beside it: `third.npy`, `features.npy`,
 * `probe-a.npy`, `probe-b.npy`.
 */
export const TrainInput = z.object({
  name: z.string(),
  model: z.string(),
  /** The model's space when the job was created. */
  space: z.string(),
  source: TrainingSource,
  labels: z.array(z.string()).optional(),
  /** By side, or by a side's modality. */
  heads: z.custom<Partial<Record<"a" | "b" | Modality, HeadChoice | "locked">>>(),
  options: z.custom<Partial<TrainingOptions>>(),
  split: z.custom<Split>().optional(),
  probeLabels: z.array(z.string()).optional(),
  screen: z.custom<Partial<ScreeningOptions> & { exclude?: boolean }>().optional(),
  activate: z.enum(["never", "if_improved"]),
});
export type TrainInput = z.infer<typeof TrainInput>;

/** The parts that training jobs need. */
export interface TrainingServices {
  packs: Packs;
  media: Media;
  budget: MediaBudget;
  config: Config;
  store: VectorStore;
  heads: HeadStore;
}

/** Embedding and screening take this share of the bar, the epochs the rest. */
const trainingFrom = 0.2;

/**
 * `train`: loads embeddings, screens them, trains heads on them, keeps these as a version and
 * activates an improvement.
 */
export function trainJob(services: TrainingServices): JobKind {
  return {
    lane: "training",
    run: (input, context) => run(TrainInput.parse(input), context, services),
  };
}

async function run(
  input: TrainInput,
  context: JobContext,
  services: TrainingServices,
): Promise<JobData> {
  const { folder, signal, report } = context;
  const { packs, heads } = services;
  const pack = packs.find(input.model);
  checkSpace(pack, input.space);
  const onProgress = (done: number, total: number) =>
    report((trainingFrom * done) / total, { stage: "embedding", done, total });
  const trainingData = await loadTrainingData(input.source, input.labels, {
    ...services,
    pack,
    folder,
    signal,
    onProgress,
  });
  const { a, b, sides } = trainingData;
  if (b === undefined)
    throw new AppError("invalid_input", "Training a head needs pairs", { param: "pairs" });
  for (const [side, rows] of [["a", a] as const, ["b", b] as const]) {
    if (rows.dimensions === pack.manifest.dimensions) continue;
    const message =
      `Expected ${pack.manifest.dimensions} numbers for each row of "${side}", as ` +
      `"${input.model}" gives, but received ${rows.dimensions}`;
    throw new AppError("invalid_input", message, { param: side });
  }

  const named = new Map<string, number>();
  const numbered = (labels: readonly string[]) =>
    Int32Array.from(labels, (label) => {
      const number = named.get(label) ?? named.size;
      named.set(label, number);
      return number;
    });
  const kept = async (name: string) => {
    const path = join(folder, name);
    return existsSync(path) ? readRowsFile(path) : undefined;
  };
  const [probeA, probeB] = [await kept("probe-a.npy"), await kept("probe-b.npy")];
  let request: TrainingRequest = {
    a: { ...a, head: input.heads.a ?? input.heads[sides.a] },
    b: { ...b, head: input.heads.b ?? input.heads[sides.b ?? "text"] },
    labels: trainingData.labels && numbered(trainingData.labels),
    third: await kept("third.npy"),
    features: await kept("features.npy"),
    split: input.split,
    options: input.options,
    ...(probeA &&
      probeB && {
        probe: {
          a: probeA.values,
          b: probeB.values,
          labels: input.probeLabels && numbered(input.probeLabels),
        },
      }),
  };
  const { active, other } = await activeHeads(heads, input.name, pack.space, sides);
  request = { ...request, active };
  const { screen } = input;
  let screening: ScreeningReport | undefined;
  if (screen !== undefined) {
    report(trainingFrom, { stage: "screening" });
    const findings = await screenInWorker(a, b, screen, { signal });
    const excluded = screen.exclude === true ? suspiciousPairs(findings) : [];
    screening = screeningReport(findings, excluded, trainingData.ids);
    request = { ...request, exclude: excluded };
    const left = rowCount(a) - excluded.length;
    if (excluded.length > 0 && left < 8) {
      const message = `Screening leaves ${left} of ${rowCount(a)} pairs, too few to train on`;
      throw invalidInput("screen", `${message}: "exclude": false trains on all of them`);
    }
  }

  const result = await trainInWorker(request, {
    signal,
    checkpointPath: join(folder, "checkpoint.safetensors"),
    threads: services.config.threads === 0 ? undefined : services.config.threads,
    onProgress: ({ epochs, ...epoch }) => {
      report(trainingFrom + (0.98 - trainingFrom) * (epoch.epoch / epochs), {
        stage: "training",
        epochs,
        ...epoch,
      });
    },
  });
  const { options, measures, data } = result.report;
  const verdict = { ...result.report.verdict };
  if (other !== undefined) verdict.reason += ` ${other}`;
  const version = await heads.add(
    input.name,
    {
      kind: "projection",
      model: input.model,
      fromSpace: pack.space,
      dimensions: (result.a ?? result.b)?.layers.at(-1)?.dimensionsOut ?? pack.manifest.dimensions,
      sides: { a: sides.a, b: sides.b },
      logits: { scale: result.logitScale, bias: result.logitBias, loss: options.loss },
      lineage: { data: data.sha256, seed: options.seed, job: context.job.id },
      report: { ...result.report, verdict, ...(screening && { screening }) },
    },
    result,
  );
  const activated = input.activate === "if_improved" && verdict.improved && other === undefined;
  if (activated) await heads.activate(input.name, version);
  const { space } = await heads.use(input.name, version);
  return {
    head: input.name,
    version,
    model: input.model,
    space,
    activated,
    verdict,
    measures,
    ...(screening && {
      screening: {
        counts: screening.counts,
        excluded: screening.excluded.length,
        worst: worstOf(screening),
      },
    }),
    warnings: trainingData.warnings,
  };
}

/**
 * The heads of the active version, for the trained sides. `other` says why it is not comparable:
 * its use for other modalities would be lost.
 */
async function activeHeads(
  heads: HeadStore,
  name: string,
  space: string,
  sides: TrainingData["sides"],
): Promise<{ active?: TrainingRequest["active"]; other?: string }> {
  const version = heads.list().find((head) => head.name === name)?.activeVersion;
  if (version === undefined) return {};
  const used = await heads.use(name, version).catch((error) => {
    if (error instanceof AppError) return undefined; // it is not in use
    throw error;
  });
  // Nor is a head for earlier weights.
  if (used === undefined || used.fromSpace !== space) return {};
  const supported = headedModalities(used);
  if (![sides.a, sides.b ?? "text"].every((modality) => supported.includes(modality))) {
    const other =
      `Version ${version}, which is active, is for ${supported.join(" and ")}: ` +
      "it was not compared, " +
      "and stays active.";
    return { other };
  }
  const headOf = (modality: Modality) => projectionOf(used, modality)[0];
  return { active: { version, a: headOf(sides.a), b: headOf(sides.b ?? "text") } };
}
