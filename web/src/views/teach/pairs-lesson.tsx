import { useState } from "preact/hooks";
import type { z } from "zod";
import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import type { TrainResult } from "../../../../src/wire/heads.js";
import type { ItemAnswer } from "../../../../src/wire/items.js";
import { Needs, WhyOff } from "../../components/needs.js";
import { toast } from "../../components/toasts.js";
import { followJob } from "../../follow-job.js";
import { sentenceOf, server, serverUrl } from "../../server.js";
import { LessonMedia } from "./lesson-media.js";
import { type Epoch, LiveCurve } from "./live-curve.js";
import { Trained } from "./trained.js";

type Result = z.infer<typeof TrainResult>;

interface Run {
  state: "working" | "done" | "failed";
  stage: string;
  progress: number;
  epochs: readonly Epoch[];
  total: number;
  result?: Result;
  /** The worst findings of screening, if they are pictures or sounds. */
  suspects: readonly { kind: string; items: readonly ItemAnswer[] }[];
  sentence: string;
}

/** More than a collection has. */
const maxRepeats = 1e9;

/** A projection that brings items nearer to their labels, or to their partners. */
export function PairsLesson({
  collection,
  field,
  model,
  onTaught,
}: {
  collection: CollectionAnswer;
  field: string;
  model: string;
  onTaught: () => void;
}) {
  const [run, setRun] = useState<Run>();
  const [jobId, setJobId] = useState<string>();
  const isMixed = Object.keys(collection.count_by_modality).length > 1;
  const name = `${collection.name}-search`;
  const train = async (isExcluding: boolean) => {
    const tell = (change: Partial<Run>) => setRun((before) => ({ ...before!, ...change }));
    setRun({
      state: "working",
      stage: "waiting",
      progress: 0,
      epochs: [],
      total: 0,
      suspects: [],
      sentence: "",
    });
    try {
      const { job } = await server.peek().trainHead({
        name,
        model,
        pairs: { collection: collection.name, by: field },
        // A label is the partner of many, which is not a fault
        screen: { exclude: isExcluding, repeats: isMixed ? undefined : maxRepeats },
        activate: "if_improved",
      });
      setJobId(job.id);
      const { result } = await followJob(job.id, ({ state, progress, detail }) => {
        tell({ progress, stage: String(detail?.stage ?? state) });
        if (detail?.stage === "training") {
          const epoch = detail as unknown as Epoch & { epochs: number };
          setRun((before) => ({
            ...before!,
            total: epoch.epochs,
            epochs: [...before!.epochs.filter((one) => one.epoch < epoch.epoch), epoch],
          }));
        }
      });
      tell({ state: "done", result: result as Result });
      tell({ suspects: await suspectsOf(collection.name, result as Result) });
    } catch (error) {
      tell({ state: "failed", sentence: sentenceOf(error) });
    }
    setJobId(undefined);
    onTaught();
  };
  const cancel = (id: string) =>
    server
      .peek()
      .cancelJob(id)
      .catch((error) => toast(sentenceOf(error)));
  return (
    <details class="card pairs-lesson">
      <summary>
        <strong>Or teach the search</strong>{" "}
        <span class="quiet">
          — a projection that brings {isMixed ? "partners" : "items and their labels"} nearer to
          each other, in a minute or more
        </span>
      </summary>
      <div class="row">
        <Needs scope="write">
          <button
            type="button"
            disabled={run?.state === "working"}
            onClick={() => void train(false)}
          >
            Train {name}
          </button>
        </Needs>
        <span class="sentence">
          {isMixed
            ? `Items with the same ${field} are partners.`
            : `Each item belongs with its ${field}.`}{" "}
          It is used only if it improves on pairs that it has not seen.
        </span>
      </div>
      <WhyOff scope="write" doing="Training" />
      {run?.state === "working" && (
        <div role="status">
          <progress max={1} value={run.progress} aria-label="Training" />
          <p class="sentence">{run.stage}…</p>
          {jobId !== undefined && (
            <button type="button" onClick={() => void cancel(jobId)}>
              Cancel
            </button>
          )}
        </div>
      )}
      {run?.state === "failed" && (
        <p class="bad" role="alert">
          {run.sentence}
        </p>
      )}
      {run !== undefined && <LiveCurve epochs={run.epochs} total={run.total} />}
      {run?.result !== undefined && <Trained result={run.result} />}
      {run !== undefined && run.suspects.length > 0 && (
        <section aria-label="Pairs that look wrong">
          <div class="row">
            <strong>Pairs that look wrong</strong>
            {run.result?.screening?.excluded === 0 ? (
              <button type="button" onClick={() => void train(true)}>
                Train again without them
              </button>
            ) : (
              <span class="quiet">{run.result?.screening?.excluded} were left out</span>
            )}
          </div>
          <ul class="examples-of-class">
            {run.suspects.flatMap(({ kind, items }) =>
              items.map((item) => (
                <li key={`${kind} ${item.id}`}>
                  <Stored collection={collection.name} item={item} />
                  <p class="sentence">{reasons[kind] ?? kind}</p>
                </li>
              )),
            )}
          </ul>
        </section>
      )}
    </details>
  );
}

const reasons: Record<string, string> = {
  mismatched: "unlike its partner",
  isolated_a: "unlike everything else",
  isolated_b: "its partner is unlike everything else",
  repeated_caption: "one partner for many unlike items",
  near_duplicate: "almost the same as another with another partner",
};

function Stored({ collection, item }: { collection: string; item: ItemAnswer }) {
  const { id, modality, media_url, text } = item;
  if (modality === "text") return <span>{text ?? id}</span>;
  const url = media_url === undefined ? undefined : serverUrl + media_url;
  return <LessonMedia example={{ id, name: id, url, collection }} modality={modality} />;
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
