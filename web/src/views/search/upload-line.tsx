import { useEffect, useState } from "preact/hooks";
import { timeText } from "../../media.js";
import { query } from "./query.js";
import { cancelUpload, type Upload, upload } from "./uploads.js";

/** The progress of adding: what, how many, how fast, how long; at the end the failed files. */
export function UploadLine() {
  const current = upload.value;
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  if (current === undefined || isOfAnother(current)) return null;
  const { state, collection, total, failed, warned, leftOut, sentence } = current;
  const done = current.stored + current.unchanged + failed.length;
  return (
    <section class="upload card" aria-label={`Adding to ${collection}`}>
      <div class="row">
        <strong>{titleOf(current)}</strong>
        <span class="quiet" role="status">
          {state === "running" ? progressOf(current, done) : summaryOf(current)}
        </span>
        <button
          type="button"
          class="right"
          onClick={() => {
            if (state === "running") cancelUpload();
            else upload.value = undefined;
          }}
        >
          {state === "running" ? "Cancel" : "Close"}
        </button>
      </div>
      {state === "running" && <progress max={Math.max(1, total)} value={done} />}
      {sentence !== "" && <p class="bad">{sentence}</p>}
      {state !== "running" && done < total && (
        <p>
          {(total - done).toLocaleString()} of {total.toLocaleString()} are not added yet. Add the
          same files again to continue: those that are here are skipped.
        </p>
      )}
      {state !== "running" && (
        <>
          <Files title="could not be added" files={failed} />
          <Files title="were added with a warning" files={warned} />
          <Files
            title="left out, neither pictures nor sounds nor texts"
            files={leftOut.map((path) => ({ path, sentence: "" }))}
          />
        </>
      )}
    </section>
  );
}

/** What was added to a collection that is not open now is no news any more. */
function isOfAnother({ state, collection }: Upload): boolean {
  const isOver = state === "done" || state === "cancelled";
  return isOver && (query.value.collection ?? collection) !== collection;
}

function Files({ title, files }: { title: string; files: Upload["failed"] }) {
  if (files.length === 0) return null;
  return (
    <details>
      <summary>
        {files.length} {title}
      </summary>
      <ul>
        {files.map(({ path, sentence }) => (
          <li key={path + sentence}>
            <strong>{path}</strong> <span class="quiet">{sentence}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

const titles = {
  running: "Adding to",
  done: "Added to",
  cancelled: "Cancelled:",
  stopped: "Stopped:",
};
const titleOf = ({ state, collection }: Upload) => `${titles[state]} ${collection}`;

function progressOf({ total, startedAt, unchanged }: Upload, done: number): string {
  const seconds = (performance.now() - startedAt) / 1000;
  const sent = done - unchanged;
  const perSecond = sent / Math.max(0.5, seconds);
  const progress = `${done.toLocaleString()} of ${total.toLocaleString()}`;
  if (sent < 3) return progress;
  const left = (total - done) / perSecond;
  return `${progress} · ${perSecond.toFixed(1)} items/s · ${roughTime(left)} left`;
}

/** No more exact than a guess is. */
const roughTime = (seconds: number) =>
  seconds < 60 ? `about ${Math.ceil(seconds)} s` : `about ${timeText(seconds)}`;

function summaryOf({ stored, unchanged, leftOut, failed }: Upload): string {
  const parts = [
    [stored, "stored"],
    [unchanged, "there already"],
    [failed.length, "failed"],
    [leftOut.length, "left out"],
  ] as const;
  const shown = parts.filter(([count]) => count > 0);
  return shown.map(([count, what]) => `${count.toLocaleString()} ${what}`).join(" · ") || "nothing";
}
