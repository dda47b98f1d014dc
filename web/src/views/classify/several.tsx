import { useState } from "preact/hooks";
import { Scroller } from "../../components/scroller.js";
import { csvOf, download } from "../../download.js";
import { modalityNames } from "../../media.js";
import type { Input, LabelSet } from "./request.js";
import { looking } from "./starting-labels.js";
import { inputs, outcomeOf, select, selectedId } from "./state.js";

type Column = "name" | "kind" | "best" | "score";
const titles: Record<Column, string> = {
  name: "File",
  kind: "Kind",
  best: "Label",
  score: "Score",
};

interface Row {
  input: Input;
  name: string;
  kind: string;
  /** The best label; empty until it is known. */
  best: string;
  /** It was checked whether any label fits, and none does. */
  noneFits: boolean;
  score: number;
  scores: ReadonlyMap<string, number>;
  failure?: string;
}

/** Several files: one row each. A row opens its file below. */
export function Several({ set }: { set: LabelSet }) {
  const [order, setOrder] = useState<{ by: Column; isDown: boolean }>();
  const rows = inputs.value.map((input) => rowOf(input, set));
  const done = rows.filter(({ best, failure }) => best !== "" || failure !== undefined).length;
  if (order !== undefined) {
    const sign = order.isDown ? -1 : 1;
    rows.sort((a, b) => sign * compare(a[order.by], b[order.by]));
  }
  const save = () => {
    const table = rows.map(({ name, kind, best, noneFits, score, scores, failure }) => [
      name,
      kind,
      noneFits ? "" : best,
      failure === undefined ? score : failure,
      ...set.labels.map((label) => scores.get(label) ?? ""),
    ]);
    const head = ["file", "kind", "label", "score", ...set.labels];
    download("scores.csv", new Blob([csvOf([head, ...table])], { type: "text/csv" }));
  };
  return (
    <section class="card several" aria-label="Files">
      <header class="row">
        <strong>{rows.length} files</strong>
        <span class="quiet" role="status">
          {set.labels.length === 0
            ? (looking.value?.sentence ?? "add labels to classify them")
            : done < rows.length
              ? `${done} of ${rows.length} done`
              : `done`}
        </span>
        <button type="button" class="right" disabled={done === 0} onClick={save}>
          Save as CSV
        </button>
      </header>
      <Scroller label="Table of files">
        <table>
          <thead>
            <tr>
              {(Object.keys(titles) as Column[]).map((by) => (
                <th
                  key={by}
                  class={by === "score" ? "number" : undefined}
                  aria-sort={order?.by !== by ? "none" : order.isDown ? "descending" : "ascending"}
                >
                  <button
                    type="button"
                    class="plain"
                    onClick={() => setOrder({ by, isDown: order?.by === by && !order.isDown })}
                  >
                    {titles[by]}
                    {order?.by === by && (order.isDown ? " ↓" : " ↑")}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ input, name, kind, best, noneFits, score, failure }) => (
              <tr key={input.id} aria-selected={input.id === selectedId.value}>
                <td>
                  <button type="button" class="plain" onClick={() => select(input.id)}>
                    <i class={`square ${input.modality}`} aria-hidden="true" />
                    {name}
                  </button>
                </td>
                <td class="quiet">{kind}</td>
                {failure === undefined ? (
                  <>
                    {noneFits ? (
                      <td class="quiet">none of these (nearest: {best})</td>
                    ) : (
                      <td>{best}</td>
                    )}
                    <td class="number">{best !== "" && score.toFixed(3)}</td>
                  </>
                ) : (
                  <td colSpan={2} class="bad">
                    {failure}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </section>
  );
}

function rowOf(input: Input, set: LabelSet): Row {
  const outcome = outcomeOf(input, set);
  const answer = outcome?.state === "done" ? outcome.answer : undefined;
  const scores = answer?.scores ?? [];
  return {
    input,
    name: input.name,
    kind: modalityNames[input.modality],
    best: scores[0]?.label ?? "",
    noneFits: answer?.known === false,
    score: scores[0]?.score ?? Number.NaN,
    scores: new Map(scores.map(({ label, score }) => [label, score])),
    failure: outcome?.state === "failed" ? outcome.sentence : undefined,
  };
}

/** Numbers by size, missing ones last; names in natural order. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number")
    return Number.isNaN(a) || Number.isNaN(b)
      ? Number(Number.isNaN(a)) - Number(Number.isNaN(b))
      : a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}
