import { useRef, useState } from "preact/hooks";
import type { HeadAnswer } from "../../../../src/wire/heads.js";
import { Scroller } from "../../components/scroller.js";
import { signTest, wilsonInterval } from "./cross-validation.js";
import { LessonMedia } from "./lesson-media.js";
import type { TaughtModality } from "./state.js";
import { type Judged, type Taught, taught } from "./teaching.js";
import { TryIt } from "./try-it.js";

const maxShown = 40;

/** How good the taught classes will be on what they have not seen, and where they go wrong. */
export function Outcome({ heads }: { heads: readonly HeadAnswer[] }) {
  const current = taught.value;
  if (current === undefined) return null;
  const { state, stage, progress, sentence, head } = current;
  if (state === "failed")
    return (
      <p class="bad" role="alert">
        {sentence}
      </p>
    );
  if (state === "working")
    return (
      <div role="status">
        <progress max={1} value={progress} aria-label="Teaching" />
        <p class="sentence">
          Teaching {head}: {stage}…
        </p>
      </div>
    );
  return <Done current={current} versions={heads.find(({ name }) => name === head)?.versions} />;
}

function Done({
  current,
  versions = [],
}: {
  current: Taught;
  /** That there are now. */
  versions?: HeadAnswer["versions"];
}) {
  const { judged, labels, seconds, head, version } = current;
  const tested = judged.filter(({ after }) => after !== undefined);
  const alone = judged.length - tested.length;
  const right = (of: (one: Judged) => number | undefined) =>
    tested.filter((one) => of(one) === one.label).length;
  const after = right(({ after }) => after);
  const before = right(({ before }) => before);
  return (
    <div>
      <p role="status">
        <strong>
          {head}, version {version}
        </strong>{" "}
        <span class="quiet">taught in {seconds!.toFixed(1)} s</span>
      </p>
      <Meanwhile current={current} versions={versions} />
      {tested.length > 0 && (
        <dl class="figures">
          <Figure
            name="without teaching"
            right={before}
            count={tested.length}
            says="by the names of the classes alone"
          />
          <Figure
            name="taught"
            right={after}
            count={tested.length}
            says="each example predicted from the others"
          />
        </dl>
      )}
      {after < before && <Worse tested={tested} />}
      {alone > 0 && (
        <p class="sentence">
          {alone === 1 ? "One example is" : `${alone} examples are`} the only one of its class and
          cannot be predicted from others: add a second.
        </p>
      )}
      {tested.length > 0 && (
        <Confusion judged={tested} labels={labels} modality={current.modality} />
      )}
      <TryIt key={`${head} ${version}`} head={`${head}@${version}`} modality={current.modality} />
    </div>
  );
}

/** What another window, or the list below, has done with the name since. */
function Meanwhile({
  current: { head, version, between = [] },
  versions,
}: {
  current: Taught;
  versions: HeadAnswer["versions"];
}) {
  const wasListed = useRef(false);
  const isListed = versions.some((one) => one.version === version);
  wasListed.current ||= isListed;
  const inUse = versions.find(({ active }) => active)?.version;
  const sentences = [
    between.length > 0 &&
      `Another window taught ${head} meanwhile: version ${between.join(", ")}, which is kept.`,
    wasListed.current && !isListed
      ? "This version has been deleted; teach again to have it back."
      : inUse !== undefined && inUse !== version && `Version ${inUse} is the one in use now.`,
  ].filter(Boolean);
  return sentences.length > 0 ? <p role="status">{sentences.join(" ")}</p> : null;
}

/** Fewer right than by the names alone: whether that is sure. */
function Worse({ tested }: { tested: readonly Judged[] }) {
  const lost = tested.filter(({ label, before, after }) => before === label && after !== label);
  const won = tested.filter(({ label, before, after }) => before !== label && after === label);
  return signTest(lost.length, won.length) < 0.05 ? (
    <p class="bad">
      Teaching made it worse: the names alone do better. Add examples, or stop using this version.
    </p>
  ) : (
    <p class="sentence">
      The names alone do a little better here, by too little to be sure. More examples tell.
    </p>
  );
}

function Figure({
  name,
  right,
  count,
  says,
}: {
  name: string;
  right: number;
  count: number;
  says: string;
}) {
  const [low, high] = wilsonInterval(right, count).map((share) => Math.round(100 * share));
  return (
    <div>
      <dt>
        {name} <span class="sentence">{says}</span>
      </dt>
      <dd>
        <strong>
          {right} of {count}
        </strong>
        <span class="sentence" title="95 % interval">
          {low} to {high} %
        </span>
      </dd>
    </div>
  );
}

/** Rows: what it is. Columns: what it was taken for. A cell opens its examples. */
function Confusion({
  judged,
  labels,
  modality,
}: {
  judged: readonly Judged[];
  labels: readonly string[];
  modality: TaughtModality;
}) {
  const [open, setOpen] = useState<{ label: number; after: number }>();
  const inCell = (label: number, after: number) =>
    judged.filter((one) => one.label === label && one.after === after);
  const largest = Math.max(
    1,
    ...labels.flatMap((_, label) => labels.map((_, after) => inCell(label, after).length)),
  );
  const shown = open === undefined ? [] : inCell(open.label, open.after);
  return (
    <>
      <Scroller label="Confusion matrix">
        <table class="confusion">
          <caption class="sentence">rows: what it is; columns: what it is taken for</caption>
          <thead>
            <tr>
              <td />
              {labels.map((label) => (
                <th key={label} scope="col">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {labels.map((label, row) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                {labels.map((other, column) => {
                  const count = inCell(row, column).length;
                  return (
                    <td key={other} class={row === column ? "right-cell" : undefined}>
                      {count > 0 && (
                        <button
                          type="button"
                          style={{ "--share": `${Math.round((55 * count) / largest)}%` }}
                          aria-pressed={open?.label === row && open.after === column}
                          aria-label={`${count} of ${label} taken for ${other}`}
                          onClick={() => setOpen({ label: row, after: column })}
                        >
                          {count}
                        </button>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {shown.length > 0 && (
        <ul class="examples-of-class">
          {shown.slice(0, maxShown).map(({ example }) => (
            <li key={example.id}>
              <LessonMedia example={example} modality={modality} />
            </li>
          ))}
        </ul>
      )}
      {shown.length > maxShown && (
        <p class="sentence">
          the first {maxShown} of {shown.length}
        </p>
      )}
    </>
  );
}
