import { afterEach, describe, expect, it } from "vitest";
import type { JobAnswer } from "../helpers/jobs.js";
import { noiseTraining } from "../helpers/noise-training.js";
import { type ServedProcess, serve } from "../helpers/serve.js";

const servers: ServedProcess[] = [];
afterEach(() => {
  for (const { child } of servers.splice(0)) child.kill("SIGKILL");
});

async function start(dataDir?: string): Promise<ServedProcess> {
  const server = await serve(["--models", "starter-clip", "--threads", "1"], dataDir);
  servers.push(server);
  return server;
}

const json = async (url: string, init?: RequestInit) => (await fetch(url, init)).json();

const training = (dimensions: number, name: string) =>
  noiseTraining(dimensions, { name, epochs: "60", mixup: "0.5", seed: "7" });

/** Follows the events of a job until `until` says so, or to the end. @returns the last state. */
async function follow(
  url: string,
  id: string,
  until: (job: JobAnswer) => boolean = () => false,
): Promise<JobAnswer> {
  const { body } = await fetch(`${url}/v1/jobs/${id}/events`);
  let text = "";
  let last: JobAnswer | undefined;
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const data = /^data: (.+)$/m.exec(event);
      if (data !== null) last = JSON.parse(data[1]) as JobAnswer;
    }
    if (last !== undefined && until(last)) return last;
  }
  return last as JobAnswer;
}

describe("a server killed while it trains", () => {
  it("interrupts the job at its next start; resumed, it ends with the same weights", async () => {
    const first = await start();
    const models = (await json(`${first.url}/v1/models`)) as { data: { dimensions: number }[] };
    const { dimensions } = models.data[0];
    const { job } = (await json(`${first.url}/v1/heads`, training(dimensions, "killed"))) as {
      job: JobAnswer;
    };
    const seen = await follow(first.url, job.id, ({ detail }) => Number(detail?.epoch) >= 3);
    expect(seen.state).toBe("running"); // not over before it could be killed
    first.child.kill("SIGKILL");
    await first.ended;

    const second = await start(first.dataDir);
    const found = (await json(`${second.url}/v1/jobs/${job.id}`)) as JobAnswer;
    expect(found.state).toBe("interrupted");
    await json(`${second.url}/v1/jobs/${job.id}/resume`, { method: "POST" });
    const epochs = new Set<unknown>();
    const resumed = await follow(second.url, job.id, ({ detail }) => {
      if (detail?.epoch !== undefined && detail.epoch !== found.detail?.epoch)
        epochs.add(detail?.epoch);
      return false;
    });
    expect(resumed.error).toBeUndefined();
    expect(resumed.state).toBe("succeeded");
    // It went on from its checkpoint
    expect(Math.min(...([...epochs] as number[]))).toBeGreaterThan(3);

    const again = (await json(`${second.url}/v1/heads`, training(dimensions, "whole"))) as {
      job: JobAnswer;
    };
    const whole = await follow(second.url, again.job.id);
    expect(whole.error).toBeUndefined();
    // A head's space is the hash of its weights.
    expect(resumed.result.space).toBe(whole.result.space);
    expect(resumed.result.measures).toEqual(whole.result.measures);
  }, 300_000);
});
