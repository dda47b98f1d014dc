import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { JobAnswer } from "../../../../src/wire/jobs.js";
import { whyNot } from "../../access.js";
import { Needs } from "../../components/needs.js";
import { Notice } from "../../components/notice.js";
import { toast } from "../../components/toasts.js";
import { followJob } from "../../follow-job.js";
import { sentenceOf, server } from "../../server.js";
import { showLaidOut } from "./map-data.js";

/** The job that lays out the collection that is shown, while there is one. */
const underWay = signal<{ collection: string; job: JobAnswer } | undefined>(undefined);

export const umapMeaning =
  "UMAP keeps neighbours together: what lies close is alike. How far groups lie apart, how large " +
  "they are and what is empty between them means little, and another run could show it otherwise.";

/** Starts the job, or follows the one that is under way, and shows the map at its end. */
async function layOut(collection: string): Promise<void> {
  try {
    const underWay = await jobOf(collection, ["queued", "running"]);
    const job = underWay ?? (await server.peek().layOutMap(collection, { method: "umap" })).job;
    await follow(collection, job);
  } catch (error) {
    toast(sentenceOf(error));
  }
}

async function follow(collection: string, first: JobAnswer): Promise<void> {
  underWay.value = { collection, job: first };
  const isShown = () => underWay.peek()?.job.id === first.id;
  try {
    await followJob(first.id, (job) => {
      if (isShown()) underWay.value = { collection, job };
    });
    await showLaidOut(collection, "umap");
  } catch (error) {
    toast(sentenceOf(error));
  } finally {
    if (isShown()) underWay.value = undefined;
  }
}

async function jobOf(collection: string, states: readonly JobAnswer["state"][]) {
  const { data } = await server.peek().listJobs();
  return data.find(
    ({ kind, state, subject }) =>
      kind === "map" && states.includes(state) && subject === collection,
  );
}

/** Started in another window or before the page was loaded; or interrupted with the server. */
async function findJob(collection: string): Promise<void> {
  const mayResume = whyNot("write") === undefined;
  const states = ["queued", "running", ...(mayResume ? (["interrupted"] as const) : [])] as const;
  const job = await jobOf(collection, states);
  if (job !== undefined && underWay.peek()?.collection !== collection)
    await follow(collection, job);
}

/** What UMAP is, and the job that makes it: to be started, its progress, to be cancelled. */
export function LayOut({ collection }: { collection: string }) {
  useEffect(() => void findJob(collection).catch(() => undefined), [collection]);
  if (underWay.value?.collection === collection) return <Progress />;
  const why = whyNot("write", "Laying it out");
  return (
    <Notice
      title="This collection is not laid out by UMAP yet"
      action={why === undefined ? ["Lay out", () => void layOut(collection)] : undefined}
    >
      {umapMeaning}{" "}
      {why ?? "It takes a minute or two for 10,000 items, and is kept until they change."}
    </Notice>
  );
}

/** Beside a map whose items have changed since. */
export function LayOutAgain({ collection }: { collection: string }) {
  useEffect(() => void findJob(collection).catch(() => undefined), [collection]);
  if (underWay.value?.collection === collection) return <Progress />;
  return (
    <p class="row">
      <span>
        Items have changed since this was laid out; new ones are missing.{" "}
        {whyNot("write", "Laying it out again")}
      </span>
      <Needs scope="write">
        <button type="button" onClick={() => void layOut(collection)}>
          Lay out again
        </button>
      </Needs>
    </p>
  );
}

function Progress() {
  const { job } = underWay.value!;
  const cancel = () =>
    server
      .peek()
      .cancelJob(job.id)
      .catch((error) => toast(sentenceOf(error)));
  return (
    <div class="row map-waiting" role="status">
      <span>Laying out: {String(job.detail?.stage ?? "waiting for its turn")}</span>
      <progress max={1} value={job.progress} aria-label="Progress of the layout" />
      <button type="button" onClick={() => void cancel()}>
        Cancel
      </button>
    </div>
  );
}
