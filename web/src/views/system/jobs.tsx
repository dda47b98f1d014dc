import type { JobAnswer } from "../../../../src/wire/jobs.js";
import { Needs, WhyOff } from "../../components/needs.js";
import { toast } from "../../components/toasts.js";
import { usePolled } from "../../components/use-polled.js";
import { timeText } from "../../media.js";
import { sentenceOf, server } from "../../server.js";

const kinds: Record<string, string> = {
  train: "training a head",
  "few-shot": "learning labels",
  bridge: "learning a bridge",
  reproject: "projecting a collection anew",
  calibrate: "calibrating on a collection",
  classify: "tagging a collection",
  map: "laying a collection out",
  move: "moving a collection to another model",
  pull: "pulling a model",
};

const states: Partial<Record<JobAnswer["state"], string>> = {
  queued: "waiting for its turn",
  interrupted: "interrupted when the server stopped; “Go on” resumes it",
};

/** Long tasks: their progress, and actions on them. */
export function Jobs() {
  const { answer, failure, askNow } = usePolled(() => server.peek().listJobs(), 1500);
  const act = async (work: Promise<unknown>, done: string) => {
    await work.then(
      () => toast(done),
      (error) => toast(sentenceOf(error)),
    );
    askNow();
  };
  const jobs = [...(answer?.data ?? [])].sort((a, b) => b.created_at.localeCompare(a.created_at));
  return (
    <section class="card" aria-label="Jobs">
      <header class="row">
        <strong>Jobs</strong>
        <span class="quiet">{failure || "long tasks, which continue while you are away"}</span>
      </header>
      {jobs.length === 0 ? (
        <p class="sentence">
          None. Training, tagging and moving collections, and pulling models run as jobs.
        </p>
      ) : (
        <ul class="jobs">
          {jobs.map((job) => (
            <li key={job.id}>
              <div>
                <strong>{kinds[job.kind] ?? job.kind}</strong> {subjectOf(job)}
                <div class="sentence">{new Date(job.created_at).toLocaleString()}</div>
              </div>
              <div class={job.state === "failed" ? "bad" : undefined}>
                {job.state === "running" ? progressOf(job) : (states[job.state] ?? job.state)}
                {job.error !== undefined && <div>{job.error.message}</div>}
              </div>
              {job.state === "running" ? (
                <progress
                  max={1}
                  value={job.progress}
                  aria-label={`Progress of ${kinds[job.kind] ?? job.kind}`}
                />
              ) : (
                <span class="quiet">{durationOf(job)}</span>
              )}
              <span class="row end">
                <Needs scope="write">
                  {isCancellable(job) && (
                    <button
                      type="button"
                      onClick={() => act(server.peek().cancelJob(job.id), "Cancelled")}
                    >
                      Cancel
                    </button>
                  )}
                  {isResumable(job) && (
                    <button
                      type="button"
                      onClick={() => act(server.peek().resumeJob(job.id), "Goes on")}
                    >
                      Go on
                    </button>
                  )}
                </Needs>
              </span>
            </li>
          ))}
        </ul>
      )}
      {jobs.some((job) => isCancellable(job) || isResumable(job)) && (
        <WhyOff scope="write" doing="Cancelling a job or going on with it" />
      )}
    </section>
  );
}

/** "mine, version 2", once there is one. */
const subjectOf = ({ subject = "", result }: JobAnswer) =>
  typeof result?.version === "number" ? `${subject}, version ${result.version}` : subject;

const progressOf = ({ progress, detail }: JobAnswer) =>
  `${(100 * progress).toFixed(0)} % ${detail?.stage ?? detail?.file ?? ""}`;

const isCancellable = ({ state }: JobAnswer) => state === "running" || state === "queued";

/** One that succeeded has nothing left to do; what its folder lacks the server says. */
const isResumable = ({ state }: JobAnswer) =>
  state === "interrupted" || state === "failed" || state === "cancelled";

function durationOf({ state, started_at, ended_at }: JobAnswer): string {
  if (started_at === null || ended_at === null || state === "interrupted") return "";
  return `took ${timeText((Date.parse(ended_at) - Date.parse(started_at)) / 1000)}`;
}
