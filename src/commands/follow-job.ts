import { Presets, SingleBar } from "cli-progress";
import { hasEnded } from "../jobs/job.js";
import type { JobAnswer } from "../wire/jobs.js";
import { print } from "./output.js";
import { CommandError, type Target } from "./target.js";

export const percent = ({ progress }: JobAnswer) => `${Math.floor(100 * progress)} %`;

/** Shows a job's events until it has ended. */
export async function follow(target: Target, id: string, json: boolean): Promise<JobAnswer> {
  const bar = process.stderr.isTTY && !json ? jobBar() : undefined;
  let last: JobAnswer | undefined;
  try {
    for await (const job of target.jobEvents(id)) {
      last = job;
      if (hasEnded(job)) break;
      if (bar !== undefined) bar.show(job);
      else if (json) await print(JSON.stringify(job));
      else console.error(`${job.state} ${percent(job)} ${detailOf(job)}`.trimEnd());
    }
  } finally {
    bar?.stop();
  }
  return last!; // jobEvents ends with the job, or throws
}

function jobBar() {
  const format = "{state} {bar} {percentage} % · {eta_formatted} left  {detail}";
  const bar = new SingleBar(
    { stream: process.stderr, format, hideCursor: true },
    Presets.shades_classic,
  );
  const texts = (job: JobAnswer) => ({ state: job.state, detail: detailOf(job).slice(0, 60) });
  let started = false;
  return {
    show(job: JobAnswer) {
      if (!started) bar.start(1000, 0, texts(job));
      started = true;
      bar.update(Math.round(1000 * job.progress), texts(job));
    },
    stop: () => bar.stop(),
  };
}

/** `epoch 3, train_loss 0.1234`: the plain values of a job's detail. */
export function detailOf({ detail = {} }: JobAnswer): string {
  const plain = (value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? value.toPrecision(4) : String(value);
  return Object.entries(detail)
    .filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${name} ${plain(value)}`)
    .join(", ");
}

/**
 * Shows the events of a job to the end: in this process too, which has to live as long as the job.
 * @throws CommandError when the job does not succeed.
 */
export async function followToSuccess(
  target: Target,
  id: string,
  json: boolean,
): Promise<JobAnswer> {
  const ended = await follow(target, id, json);
  if (ended.state === "succeeded") return ended;
  const why =
    ended.error === undefined ? `is ${ended.state}` : `has failed: ${ended.error.message}`;
  throw new CommandError(`The job ${id} ${why}`, { code: ended.error?.code });
}
