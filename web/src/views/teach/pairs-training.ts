import { signal } from "@preact/signals";
import type { z } from "zod";
import type { TrainResult } from "../../../../src/wire/heads.js";
import type { ItemAnswer } from "../../../../src/wire/items.js";
import type { JobAnswer } from "../../../../src/wire/jobs.js";
import { followJob } from "../../follow-job.js";
import { sentenceOf, server } from "../../server.js";
import type { Epoch } from "./live-curve.js";

type Result = z.infer<typeof TrainResult>;

export interface Run {
  state: "working" | "done" | "failed";
  stage: string;
  progress: number;
  epochs: readonly Epoch[];
  total: number;
  jobId?: string;
  result?: Result;
  /** The worst findings of screening, if they are pictures or sounds. */
  suspects: readonly { kind: string; items: readonly ItemAnswer[] }[];
  sentence: string;
}

/** Trainings of this page, the last one of each field; they go on while other views are shown. */
export const runs = signal<ReadonlyMap<string, Run>>(new Map());

export const keyOf = ({ collection, field }: Source) => JSON.stringify([collection, field]);

/** More than a collection has. */
const maxRepeats = 1e9;

interface Source {
  collection: string;
  field: string;
}

/** Trains a projection that brings items nearer to their labels, or to their partners. */
export function trainPairs({
  collection,
  field,
  model,
  name,
  isMixed,
  isExcluding,
}: Source & {
  model: string;
  /** Of the head. */
  name: string;
  /** Of items of two kinds, which are partners. */
  isMixed: boolean;
  isExcluding: boolean;
}): Promise<void> {
  return follow({ collection, field }, async () => {
    const { job } = await server.peek().trainHead({
      name,
      model,
      pairs: { collection, by: field },
      // A label is the partner of many, which is not a fault
      screen: { exclude: isExcluding, repeats: isMixed ? undefined : maxRepeats },
      activate: "if_improved",
    });
    return job.id;
  });
}

/** Goes on with a training that was begun before the page was loaded, if there is one. */
export async function findTraining(source: Source & { name: string }): Promise<void> {
  const { data } = await server.peek().listJobs();
  const isUnfinished = ({ state }: JobAnswer) =>
    state === "queued" || state === "running" || state === "interrupted";
  const job = data.find(
    (one) => one.kind === "train" && one.subject === source.name && isUnfinished(one),
  );
  const isFollowed = [...runs.peek().values()].some(({ jobId }) => jobId === job?.id);
  if (job !== undefined && !isFollowed) await follow(source, async () => job.id);
}

async function follow(source: Source, start: () => Promise<string>): Promise<void> {
  let run: Run = {
    state: "working",
    stage: "waiting",
    progress: 0,
    epochs: [],
    total: 0,
    suspects: [],
    sentence: "",
  };
  const tell = (change: Partial<Run>) => {
    run = { ...run, ...change };
    runs.value = new Map(runs.peek()).set(keyOf(source), run);
  };
  tell({});
  try {
    const jobId = await start();
    tell({ jobId });
    const { result } = await followJob(jobId, ({ state, progress, detail }) => {
      tell({ progress, stage: String(detail?.stage ?? state) });
      if (detail?.stage !== "training") return;
      const epoch = detail as unknown as Epoch & { epochs: number };
      const before = run.epochs.filter((one) => one.epoch < epoch.epoch);
      tell({ total: epoch.epochs, epochs: [...before, epoch] });
    });
    tell({ state: "done", result: result as Result });
    tell({ suspects: await suspectsOf(source.collection, result as Result) });
  } catch (error) {
    tell({ state: "failed", sentence: sentenceOf(error) });
  }
}

async function suspectsOf(collection: string, { screening }: Result): Promise<Run["suspects"]> {
  const found = screening?.worst ?? [];
  return Promise.all(
    found.slice(0, 24).map(async ({ kind, ids = [] }) => ({
      kind,
      items: await Promise.all(ids.slice(0, 2).map((id) => server.peek().getItem(collection, id))),
    })),
  );
}
