import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { progressiveJpeg } from "../helpers/bombs.js";
import { fixture } from "../helpers/fixtures.js";
import { type ServedProcess, serve, untilReady } from "../helpers/serve.js";
import { formPost } from "../helpers/services.js";

/** 300 kB that are right, and minutes of work: 100 megapixels in 883 scans. */
const bomb = progressiveJpeg(10_000);
/** The same work, but another file of the same length. */
const bombNumber = (n: number) => Buffer.concat([bomb, Buffer.from([n])]);
const flags = ["--models", "starter-clip"];

async function classify({ url }: ServedProcess, image: Uint8Array) {
  const body = formPost({ image, candidate_labels: ["cat", "dog"] });
  const response = await fetch(`${url}/v1/zero-shot`, body);
  const { error } = (await response.json()) as { error?: { code: string; message: string } };
  return { status: response.status, error };
}

const tooLong = {
  status: 413,
  error: { code: "too_large", message: expect.stringContaining("maxDecodeSeconds") },
};

describe("JPEGs that take minutes to decode", () => {
  let server: ServedProcess;
  beforeAll(async () => {
    server = await serve([...flags, "--media-workers", "2", "--max-decode-seconds", "2"]);
    await untilReady(server);
  });
  afterAll(() => void server.child.kill("SIGKILL"));

  it("are given up at their budget, while others are served", async () => {
    const bombs = [1, 2].map((n) => classify(server, bombNumber(n)));
    for (let i = 0; i < 3; i++)
      expect((await classify(server, fixture("images/cat.jpg"))).status).toBe(200);
    expect(await Promise.all(bombs)).toMatchObject([tooLong, tooLong]);
  });

  it("are refused once they have ended two decoders, others of their length are not", async () => {
    expect(await classify(server, bombNumber(1))).toMatchObject(tooLong);
    const refusal = { code: "undecodable_media", message: /will not be tried again/ };
    const { status, error } = await classify(server, bombNumber(1));
    expect({ status, code: error?.code }).toEqual({ status: 422, code: refusal.code });
    expect(error?.message).toMatch(refusal.message);
    expect(await classify(server, bombNumber(3))).toMatchObject(tooLong);
  });
});

describe.skipIf(process.platform !== "linux")("a server whose decoder is stuck", () => {
  it("obeys SIGTERM, and leaves no decoder behind", async () => {
    const server = await serve([...flags, "--media-workers", "1", "--shutdown-timeout-ms", "1000"]);
    const { child, ended } = server;
    onTestFinished(() => void child.kill("SIGKILL"));
    await untilReady(server);
    const bombs = Promise.allSettled([1, 2].map((n) => classify(server, bombNumber(n))));
    // Under way: it has used more processor time than the start takes.
    const decoders = () => childrenOf(child.pid!);
    await expect.poll(() => decoders().some((pid) => cpuTicks(pid) > 200)).toBe(true);
    const left = decoders();
    child.kill("SIGTERM");
    expect(await ended).toBe(1); // the drain was cut short
    await expect.poll(() => left.filter(isAlive)).toEqual([]);
    await bombs;
  });
});

const fieldsOf = (pid: number) => {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
};
const isAlive = (pid: number) => existsSync(`/proc/${pid}`) && fieldsOf(pid)[0] !== "Z";
const cpuTicks = (pid: number) => Number(fieldsOf(pid)[11]);

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return Number(fieldsOf(pid)[1]) === parent;
      } catch {
        return false; // it has just ended
      }
    });
}
