import type { z } from "zod";
import type { Measure, TrainResult } from "../../../../src/wire/heads.js";
import { Scroller } from "../../components/scroller.js";

/** The main result, in words. */
const main: Record<string, string> = {
  a_to_b_recall_at_1: "find their partner first",
  b_to_a_recall_at_1: "are found first by it",
  zero_shot_accuracy: "called by their right label",
  mean_reciprocal_rank: "place of the partner: 1 is first (mean reciprocal rank)",
};

/** A projection before and after, on pairs that it has not seen, each figure with its interval. */
export function Trained({ result }: { result: z.infer<typeof TrainResult> }) {
  const { verdict, measures = {}, activated, head, version } = result;
  const named = (names: readonly string[]) =>
    names.flatMap((name) =>
      measures[name] === undefined ? [] : [[name, measures[name]] as const],
    );
  const others = Object.keys(measures).filter((name) => main[name] === undefined);
  return (
    <>
      <p role="status">
        <strong>
          {head}, version {version}
        </strong>{" "}
        <span class={verdict?.improved ? undefined : "quiet"}>{verdict?.reason}</span>{" "}
        <span class="quiet">{activated ? "It is in use now." : "It is kept, and not in use."}</span>
      </p>
      <Measures of={named(Object.keys(main))} />
      <details>
        <summary class="quiet">Other measures</summary>
        <Measures of={named(others)} />
      </details>
    </>
  );
}

function Measures({ of }: { of: readonly (readonly [string, z.infer<typeof Measure>])[] }) {
  return (
    <Scroller label="Table of measures">
      <table>
        <thead>
          <tr>
            <th>Measure</th>
            <th class="number">Before</th>
            <th class="number">After</th>
            <th class="number">Change, 95 %</th>
            <th>It is</th>
          </tr>
        </thead>
        <tbody>
          {of.map(([name, { before, after, interval, says }]) => (
            <tr key={name}>
              <td>{main[name] ?? name.replaceAll("_", " ")}</td>
              <td class="number">{before.toFixed(3)}</td>
              <td class="number">{after.toFixed(3)}</td>
              <td class="number">
                {interval[0].toFixed(3)} to {interval[1].toFixed(3)}
              </td>
              <td>{says}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
