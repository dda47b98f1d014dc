import { ApiError } from "../../src/client/client.js";
import type { JobAnswer } from "../../src/wire/jobs.js";
import { server } from "./server.js";
import { persistently } from "./status.js";

/**
 * Follows a job until it has succeeded, over connections that break. One that ended with its server
 * goes on when the server is back, from what it had done.
 * @returns its last state. @throws Error with a sentence when it failed or was cancelled.
 */
export async function followJob(
  id: string,
  onChange: (job: JobAnswer) => void = () => undefined,
): Promise<JobAnswer> {
  for (;;) {
    const last = await persistently(async () => {
      let job: JobAnswer | undefined;
      for await (job of server.peek().jobEvents(id)) onChange(job);
      return job!;
    });
    if (last.state === "succeeded") return last;
    if (last.state === "failed")
      throw new ApiError(last.error?.message ?? "The job failed", { status: 500 });
    if (last.state === "cancelled") throw new Error("It was cancelled.");
    await resume(id);
  }
}

async function resume(id: string): Promise<void> {
  try {
    await persistently(() => server.peek().resumeJob(id));
  } catch (error) {
    // Another window may have been first
    const { state } = await persistently(() => server.peek().getJob(id));
    if (state === "interrupted") throw error;
  }
}
