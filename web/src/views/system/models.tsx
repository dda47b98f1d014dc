import type { ModelAnswer } from "../../../../src/wire/models.js";
import { Needs, WhyOff } from "../../components/needs.js";
import { Scroller } from "../../components/scroller.js";
import { toast } from "../../components/toasts.js";
import { usePolled } from "../../components/use-polled.js";
import { modalityNames, sizeText } from "../../media.js";
import { sentenceOf, server } from "../../server.js";
import { askStatus } from "../../status.js";
import { LoadForm } from "./load-form.js";
import { boundText, latencyOf, type Sample } from "./prometheus.js";

/** What is loaded, where it runs and why, what waits for it and how long it takes. */
export function Models({ samples }: { samples: readonly Sample[] }) {
  const { answer, failure, askNow } = usePolled(() => server.peek().listModels(), 3000);
  const models = answer?.data ?? [];
  const act = async (work: () => Promise<unknown>, done: string, undo?: () => Promise<unknown>) => {
    try {
      await work();
      toast(done, undo && ["Undo", () => void act(undo, "It is loaded again")]);
    } catch (error) {
      toast(sentenceOf(error));
    }
    askNow();
    void askStatus();
  };
  const reasons = new Set(models.flatMap(reasonsOf));
  return (
    <section class="card" aria-label="Models">
      <header class="row">
        <strong>Models</strong>
        <span class="quiet">{failure || "what is loaded, and where it runs"}</span>
      </header>
      {answer !== undefined && models.length === 0 && (
        <p class="sentence">No model is loaded: load one to classify and search.</p>
      )}
      <Scroller label="Table of models" hidden={models.length === 0}>
        <table>
          <thead>
            <tr>
              <th>Part</th>
              <th>Runs on</th>
              <th>Weights</th>
              <th class="number">Memory</th>
              <th class="number">Waiting</th>
              <th class="number">Per run</th>
              <th class="number">Half within</th>
              <th class="number">99 % within</th>
            </tr>
          </thead>
          <tbody>{models.map((model) => rowsOf(model, samples, act))}</tbody>
        </table>
      </Scroller>
      {reasons.size > 0 && (
        <details class="reasons">
          <summary>Why not on a GPU?</summary>
          <ul>
            {[...reasons].map((reason) => (
              <li key={reason}>{reason}.</li>
            ))}
          </ul>
          <p class="quiet">What a GPU needs is in docs/gpu.md; `crossmodal doctor` checks it.</p>
        </details>
      )}
      <p class="sentence">
        Waiting: inputs in the queue now. Per run: inputs that were computed together, on average.
        The times are those from an input to its embedding, waiting included, since the start, as
        upper bounds of ranges; a part that models share is counted for all of them. Embeddings can
        be compared when their space is the same.
      </p>
      <WhyOff scope="admin" doing="Loading or unloading models" />
      <LoadForm
        notLoaded={(answer?.installed ?? []).filter((id) => !models.some((one) => one.id === id))}
        onLoad={(model) => act(() => server.peek().loadModel({ model }), `${model} is loaded`)}
        onPull={(pull) =>
          act(() => server.peek().loadModel({ pull }), "It is being pulled; see Jobs below")
        }
      />
    </section>
  );
}

const reasonsOf = ({ towers }: ModelAnswer) =>
  towers.flatMap(({ fallback_reason }) => (fallback_reason === null ? [] : [fallback_reason]));

type Act = (work: () => Promise<unknown>, done: string, undo?: () => Promise<unknown>) => void;

/** A line with its space and what can be done with it, and a line for each part. */
function rowsOf(model: ModelAnswer, samples: readonly Sample[], act: Act) {
  const { id, towers, space, dimensions, pinned } = model;
  const load = (pin?: boolean) => server.peek().loadModel({ model: id, pinned: pin });
  const parts = towers.map((tower) => <Part key={tower.modality} {...{ id, tower, samples }} />);
  return [
    <tr key={id} class="model">
      <td colSpan={8}>
        <span class="row">
          <strong>{id}</strong>
          <span class="quiet">
            {space}, {dimensions} dimensions
          </span>
          <Needs scope="admin">
            <span class="row right">
              <button
                type="button"
                aria-label={`Keep ${id} in memory`}
                aria-pressed={pinned}
                title="A pinned model stays in memory"
                onClick={() =>
                  act(() => load(!pinned), pinned ? `${id} may leave memory` : `${id} is kept`)
                }
              >
                Keep in memory
              </button>
              <button
                type="button"
                aria-label={`Unload ${id}`}
                onClick={() =>
                  act(
                    () => server.peek().unloadModel(id),
                    `${id} is unloaded; its collections wait for it`,
                    () => load(pinned),
                  )
                }
              >
                Unload
              </button>
            </span>
          </Needs>
        </span>
      </td>
    </tr>,
    ...parts,
  ];
}

/** Its own; or of the one text part that models share, which is counted for all of them. */
function samplesOf(id: string, modality: string, samples: readonly Sample[]): Sample[] {
  const ofModality = samples.filter(({ labels }) => labels.modality === modality);
  const its = ofModality.filter(({ labels }) => labels.model === id);
  if (its.some(({ name }) => name === "crossmodal_embed_seconds_count")) return its;
  const shared = ofModality.filter(({ labels }) => labels.model?.startsWith("trunk@"));
  return new Set(shared.map(({ labels }) => labels.model)).size === 1 ? shared : [];
}

function Part({
  id,
  tower: { modality, provider, dtype, bytes, in_memory },
  samples,
}: {
  id: string;
  tower: ModelAnswer["towers"][number];
  samples: readonly Sample[];
}) {
  const ofTower = samplesOf(id, modality, samples);
  const sampleOf = (metric: string) => ofTower.find(({ name }) => name === metric)?.value;
  const runs = sampleOf("crossmodal_batch_size_count");
  const inputs = sampleOf("crossmodal_batch_size_sum") ?? 0;
  const within = latencyOf(ofTower, "crossmodal_embed_seconds");
  return (
    <tr>
      <td>
        <i class={`square inline ${modality}`} aria-hidden="true" />
        {modalityNames[modality]}
      </td>
      <td>{provider.replace(/ExecutionProvider$/, "").toUpperCase()}</td>
      <td>{dtype}</td>
      <td class="number">{in_memory ? sizeText(bytes) : "asleep"}</td>
      <td class="number">{sampleOf("crossmodal_queued_inputs") ?? "–"}</td>
      <td class="number">{runs ? (inputs / runs).toFixed(1) : "–"}</td>
      <td class="number">{within === undefined ? "–" : boundText(within.half)}</td>
      <td class="number">{within === undefined ? "–" : boundText(within.most)}</td>
    </tr>
  );
}
