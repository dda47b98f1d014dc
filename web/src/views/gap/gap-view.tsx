import { useEffect, useState } from "preact/hooks";
import type { GapAnswer } from "../../../../src/wire/gap.js";
import { Notice } from "../../components/notice.js";
import { route } from "../../router.js";
import { Cosines } from "./cosines.js";
import { Curve } from "./curve.js";
import { ExamplePairs } from "./example-pairs.js";
import { directionsOf, Figures } from "./figures.js";
import "./gap.css";
import { HubList } from "./hubs.js";
import { Plane } from "./plane.js";
import { measure, measured, restore, retryMeasuring } from "./report.js";
import { saveJson } from "./save.js";
import { SavedFigure } from "./saved-figure.js";
import { SourceForm } from "./source-form.js";
import { apartText, movingText, percent } from "./words.js";

/** How far apart two modalities are, and what that does to retrieval across them. */
export default function GapView() {
  const current = measured.value;
  useEffect(restore, [route.value.path[0]]);
  useEffect(retryMeasuring, []);
  return (
    <main class="gap-view">
      <h1 class="only-read-aloud">Gap</h1>
      {current?.state !== "done" && <SourceForm />}
      {current === undefined && (
        <Notice title="How far apart do pictures, sounds and texts lie?">
          Pictures, sounds and sentences about the same thing should lie close together, but models
          keep each kind in a region of its own. This shows how far apart the regions are and what
          that costs a search: papers call it the modality gap. Choose a collection that holds two
          kinds, or two .npy files of embeddings (the vectors that a model made) in which each row
          of one belongs to the same row of the other.
        </Notice>
      )}
      {current === undefined && <ExamplePairs />}
      {current?.state === "working" && (
        <p class="quiet" role="status">
          Measuring…
        </p>
      )}
      {current?.state === "failed" && (
        <Notice
          kind="bad"
          title="This cannot be measured"
          action={["Try again", () => measure(current.source)]}
        >
          {current.sentence}
        </Notice>
      )}
      {current?.report !== undefined && (
        <Report
          report={current.report}
          collection={"collection" in current.source ? current.source.collection : undefined}
        />
      )}
    </main>
  );
}

function Report({ report, collection }: { report: GapAnswer; collection?: string }) {
  const curve = report.shift_curve;
  const native = curve?.findIndex(({ delta }) => delta === 0) ?? 0;
  const [chosen, setChosen] = useState(native);
  const at = curve?.[chosen];
  const names = directionsOf(report);
  const { items, dimensions, paired } = report;
  const caption =
    `${items.a.toLocaleString()} ${names.a} and ${items.b.toLocaleString()} ${names.b}, gap ` +
    `${report.centroid_gap.toFixed(3)}` +
    (at === undefined || chosen === native ? "" : `, moved by ${at.delta.toFixed(2)}`) +
    `; ${percents(report.projection.explained)} of the variance`;
  const counted = paired ? `${items.a} pairs` : `${items.a} ${names.a}, ${items.b} ${names.b}`;
  return (
    <>
      <div class="row gap-head">
        <SourceForm />
        <button type="button" class="right" onClick={() => saveJson(report)}>
          Save all figures as JSON
        </button>
      </div>
      <div class="gap-grid">
        <section class="card where" aria-label="Where both kinds lie">
          <SavedFigure
            title="Where both kinds lie"
            says={
              `${counted} · ${dimensions} dimensions, along the two directions in which they ` +
              "differ most (principal components, with " +
              `${percents(report.projection.explained)} of the variance)`
            }
            name="modality-gap"
            caption={caption}
          >
            <Plane report={report} delta={at?.delta ?? 0} />
          </SavedFigure>
          {curve !== null && at !== undefined && (
            <>
              <label class="row shift">
                Move along the gap
                <input
                  type="range"
                  min={0}
                  max={curve.length - 1}
                  step={1}
                  value={chosen}
                  aria-valuetext={`${at.delta}`}
                  onInput={({ currentTarget }) => setChosen(Number(currentTarget.value))}
                />
                <output>{at.delta.toFixed(2)}</output>
              </label>
              <p class="sentence" role="status">
                {chosen === native ? "As the model made them" : "Moved so"}, the centres are{" "}
                {apartText(at.distance)}; {names.a_to_b} finds {percent(at.a_to_b_at_1)} first,{" "}
                {names.b_to_a} {percent(at.b_to_a_at_1)}.
                {chosen === native
                  ? " Moved by as much as the gap, they meet."
                  : " The picture shows them before they are scaled to length one."}
              </p>
            </>
          )}
        </section>
        <div class="gap-side">
          <Figures report={report} />
          {!paired && (
            <p class="sentence">
              What the gap costs a search is seen in pairs: name the metadata field that a picture
              or sound and its text share.
            </p>
          )}
          <HubList report={report} collection={collection} />
        </div>
        {report.pair_cosines !== null && (
          <section class="card" aria-label="Similarity of pairs and of others">
            <SavedFigure
              title="Cosines of pairs and of others"
              says="the cosine: 1 is the same, 0 is nothing in common"
              name="pair-cosines"
              caption={`Cosines, ${counted}; each curve to its own height`}
            >
              <Cosines cosines={report.pair_cosines} />
            </SavedFigure>
            <p class="sentence">
              The score of a pair means little by itself: compare it with those of items that do not
              belong together. Each curve is scaled to its own height.
            </p>
          </section>
        )}
        {curve !== null && (
          <section class="card" aria-label="Shift curve">
            <SavedFigure
              title="Recall at the first place, by shift"
              name="shift-curve"
              caption={`Recall at the first place, by shift along the gap; ${counted}`}
            >
              <Curve curve={curve} chosen={chosen} names={names} />
            </SavedFigure>
            <p class="sentence">0 is as the model made them. {movingText(curve, names)}</p>
          </section>
        )}
      </div>
    </>
  );
}

const percents = ([first, second]: readonly [number, number]) =>
  `${(100 * first).toFixed(0)} and ${(100 * second).toFixed(0)}\u00a0%`;
