import { hasEnded } from "../jobs/job.js";
import type { JobAnswer } from "../wire/jobs.js";
import { createBar, durationOf } from "./bar.js";
import { print } from "./output.js";
import { plainEveryMs } from "./progress.js";
import { CommandError, type Target } from "./target.js";

export const percent = ({ progress }: JobAnswer) => `${Math.floor(100 * progress)} %`;

/** Shows a job's events until it has ended. */
export async function follow(target: Target, id: string, json: boolean): Promise<JobAnswer> {
  const bar = process.stderr.isTTY && !json ? jobBar() : undefined;
  let last: JobAnswer | undefined;
  let lineAt = Number.NEGATIVE_INFINITY;
  try {
    for await (const job of target.jobEvents(id)) {
      last = job;
      if (hasEnded(job)) break;
      if (bar !== undefined) bar.show(job);
      else if (json) await print(JSON.stringify(job));
      else if (performance.now() - lineAt >= plainEveryMs) {
        lineAt = performance.now();
        console.error(`${job.state} ${percent(job)} ${detailOf(job)}`.trimEnd());
      }
    }
  } finally {
    bar?.stop();
  }
  return last!; // jobEvents ends with the job, or throws
}

function jobBar() {
  let shown: JobAnswer;
  let started = false;
  const bar = createBar(({ eta }) => {
    const left = shown.progress === 0 ? Number.NaN : Number(eta);
    const detail = detailOf(shown).slice(0, 40);
    return {
      before: shown.state,
      after: `${percent(shown)} · ${durationOf(left)} left  ${detail}`,
    };
  });
  return {
    show(job: JobAnswer) {
      shown = job;
      if (!started) bar.start(1000, 0);
      started = true;
      bar.update(Math.round(1000 * job.progress));
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
 * Shows a job's events until it ends; for jobs of this process, which must live as long.
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
