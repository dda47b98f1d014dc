import type { ModelAnswer } from "../../../../src/wire/models.js";
import { modalityNames } from "../../media.js";
import { status } from "../../status.js";
import type { Sample } from "./prometheus.js";

/** What is loaded, where it runs and why, and how much waits for it. */
export function Models({ samples }: { samples: readonly Sample[] }) {
  const { models } = status.value;
  const isFallback = models.some(({ towers }) => towers.some((tower) => tower.fallback_reason));
  return (
    <section class="card" aria-label="Models">
      <header class="row">
        <strong>Models</strong>
        <span class="quiet">what is loaded, and where it runs</span>
      </header>
      <div class="scroller">
        <table>
          <thead>
            <tr>
              <th>Model</th>
              <th>Part</th>
              <th>Runs on</th>
              <th>Weights</th>
              <th class="number">Waiting</th>
              <th class="number">Per run</th>
              <th>Space</th>
            </tr>
          </thead>
          <tbody>{models.map((model) => rowsOf(model, samples))}</tbody>
        </table>
      </div>
      {isFallback && (
        <details class="reasons">
          <summary>Why not on a GPU?</summary>
          <ul>
            {[...new Set(models.flatMap(reasonsOf))].map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </details>
      )}
      <p class="sentence">
        Waiting: inputs in the queue now. Per run: inputs that were computed together, on average.
        Embeddings can be compared when their space is the same.
      </p>
    </section>
  );
}

const reasonsOf = ({ towers }: ModelAnswer) =>
  towers.flatMap(({ fallback_reason }) => (fallback_reason === null ? [] : [fallback_reason]));

function rowsOf({ id, towers, space, dimensions }: ModelAnswer, samples: readonly Sample[]) {
  return towers.map(({ modality, provider, dtype }, i) => {
    const sampleOf = (metric: string) =>
      samples.find(
        ({ name, labels }) =>
          name === metric && labels.model === id && labels.modality === modality,
      )?.value;
    const runs = sampleOf("crossmodal_batch_size_count");
    const inputs = sampleOf("crossmodal_batch_size_sum");
    return (
      <tr key={`${id} ${modality}`}>
        <td>{i === 0 && <strong>{id}</strong>}</td>
        <td>
          <i class={`square inline ${modality}`} aria-hidden="true" />
          {modalityNames[modality]}
        </td>
        <td>{provider.replace(/ExecutionProvider$/, "").toUpperCase()}</td>
        <td>{dtype}</td>
        <td class="number">{sampleOf("crossmodal_queued_inputs") ?? "–"}</td>
        <td class="number">{runs ? ((inputs ?? 0) / runs).toFixed(1) : "–"}</td>
        <td class="quiet">{i === 0 && `${space}, ${dimensions} dimensions`}</td>
      </tr>
    );
  });
}
