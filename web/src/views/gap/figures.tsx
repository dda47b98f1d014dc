import type { GapAnswer } from "../../../../src/wire/gap.js";
import { percent } from "./words.js";

/** The figures of a report, each with what it means. */
export function Figures({ report }: { report: GapAnswer }) {
  const { recall, centered, hubs, held_out, linear_separability, gap_share } = report;
  const names = directionsOf(report);
  const shown: (readonly [name: string, says: string, value: string])[] = [
    [
      "Gap",
      "distance between the two mean directions; 0 when they coincide",
      three(report.centroid_gap),
    ],
    ...(recall === null
      ? []
      : ([
          [
            `${names.a_to_b}, first place`,
            `share of ${names.a} that find their own partner first`,
            percent(recall.a_to_b.at_1),
          ],
          [
            `${names.b_to_a}, first place`,
            `share of ${names.b} that find their own partner first`,
            percent(recall.b_to_a.at_1),
          ],
        ] as const)),
    [
      "Gap after centring",
      "the mean of its kind subtracted from each vector",
      three(centered.centroid_gap),
    ],
    ...(centered.recall === null
      ? []
      : ([
          [
            `… ${names.a_to_b}, first place`,
            "what centring does to finding partners",
            percent(centered.recall.a_to_b.at_1),
          ],
        ] as const)),
    ...(held_out?.mixed_corpus == null
      ? []
      : ([
          [
            "Partner among ten, in a mixed corpus",
            `half of the corpus is ${names.b}, as the queries are; before and after centring`,
            `${percent(held_out.mixed_corpus.before.at_10)} → ` +
              `${percent(held_out.mixed_corpus.centered.at_10)}`,
          ],
        ] as const)),
    [
      "Told apart by a plane",
      "share of items on their own side of one flat cut; 50 % would be chance",
      percent(linear_separability.held_out),
    ],
    [
      "Carried by two dimensions",
      `of ${report.dimensions}: their share of the squared gap`,
      percent(gap_share["2"] ?? 0),
    ],
    ...(hubs === null
      ? []
      : ([
          [
            "Never found",
            `share of ${names.b} that are among the first ten of no query`,
            percent(hubs.a_to_b.never),
          ],
          [
            "The largest hub",
            "an item that many queries find: the share with the same one among their first ten",
            percent(hubs.a_to_b.largest),
          ],
        ] as const)),
  ];
  return (
    <dl class="card gap-figures">
      {shown.map(([name, says, value]) => (
        <div key={name}>
          <dt>
            {name} <span class="sentence">{says}</span>
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const plurals: Record<string, string> = { image: "pictures", audio: "sounds", text: "texts" };

/** "pictures → texts", in both directions. */
export function directionsOf({ modalities }: GapAnswer) {
  const a = plurals[modalities.a] ?? modalities.a;
  const b = plurals[modalities.b] ?? modalities.b;
  return { a, b, a_to_b: `${a} → ${b}`, b_to_a: `${b} → ${a}` };
}

const three = (value: number) => value.toFixed(3);
