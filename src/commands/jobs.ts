import type { Command } from "commander";
import { hasEnded } from "../jobs/job.js";
import type { JobAnswer } from "../wire/jobs.js";
import { detailOf, follow, percent } from "./follow-job.js";
import { onTarget } from "./on-target.js";
import { print } from "./output.js";
import { printable, table } from "./table.js";
import { CommandError } from "./target.js";

/**
 * `crossmodal jobs`: long work such as training, which runs in a server or in the command that
 * started it.
 */
export function jobsCommand(program: Command): void {
  const jobs = program
    .command("jobs")
    .description("list, follow and stop long work such as training");

  const list = jobs
    .command("list", { isDefault: true })
    .description("all jobs, newest first (the default)");
  onTarget(list, { models: false }, async (target, flags) => {
    const { data } = await target.listJobs();
    if (flags.json) for (const job of data) await print(JSON.stringify(job));
    else if (data.length === 0) await print("no jobs");
    else {
      const rows = data.map((job) => [job.id, job.kind, job.state, percent(job), job.created_at]);
      for (const line of table(["id", "kind", "state", "done", "created"], rows)) await print(line);
    }
  });

  const show = jobs.command("show").description("one job in full").argument("<id>");
  onTarget(show, { models: false }, async (target, flags, id: string) => {
    await printJob(await target.getJob(id), flags.json === true);
  });

  const watch = jobs
    .command("watch")
    .description("follow a job of a running server to its end")
    .argument("<id>");
  onTarget(watch, { models: false }, async (target, flags, id: string) => {
    let job = await target.getJob(id);
    if (!hasEnded(job)) {
      needsServer(flags, "A job is followed");
      job = await follow(target, id, flags.json === true);
    }
    await printJob(job, flags.json === true);
    if (job.state !== "succeeded") throw new CommandError(`the job is ${job.state}`);
  });

  const cancel = jobs
    .command("cancel")
    .description("stop a job that waits or runs")
    .argument("<id>");
  onTarget(cancel, { models: false }, async (target, flags, id: string) => {
    if (!hasEnded(await target.getJob(id))) needsServer(flags, "A job is cancelled");
    await printJob(await target.cancelJob(id), flags.json === true);
  });

  const resume = jobs
    .command("resume")
    .description("continue a job that failed, was cancelled or interrupted")
    .argument("<id>");
  onTarget(resume, { models: false }, async (target, flags, id: string) => {
    needsServer(flags, "A job is resumed");
    const { job } = await target.resumeJob(id);
    await printJob(job, flags.json === true);
  });
}

/** Jobs run in a process; this one ends with the command. @throws CommandError without `--url`. */
function needsServer({ url }: { url?: string }, action: string): void {
  if (url === undefined) {
    const training = "; to continue an interrupted training here: crossmodal train --resume ID";
    throw new CommandError(
      `${action} in the process that runs it: name its server with --url${training}`,
      {
        code: "invalid_input",
      },
    );
  }
}

const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

async function printJob(job: JobAnswer, json: boolean): Promise<void> {
  if (json) return print(JSON.stringify(job));
  const facts: [string, string | undefined][] = [
    ["id", job.id],
    ["kind", job.kind],
    ["subject", job.subject],
    ["state", `${job.state}, ${percent(job)}`],
    ["created", job.created_at],
    ["detail", detailOf(job)],
    ["error", job.error?.message],
    ...Object.entries(job.result ?? {}).map(([name, value]): [string, string] => [
      name,
      textOf(value),
    ]),
  ];
  for (const [name, value] of facts)
    if (value !== undefined && value !== "") await print(`${name.padEnd(12)} ${printable(value)}`);
}
