import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openEmbeddedStore } from "../../src/index/embedded/open-embedded-store.js";
import { seededRandom } from "../../src/math/random.js";
import { jsonPost } from "../helpers/services.js";

/** More by hand: CROSSMODAL_SERVER_ROUNDS=50 npx vitest run test/routes/item-durability.test.ts */
const rounds = Number(process.env.CROSSMODAL_SERVER_ROUNDS ?? 3);
const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-killed-"));
afterAll(() => rmSync(dataDir, { recursive: true }));

describe("a server under SIGKILL while items are streamed to it", () => {
  it(
    `has every item that it acknowledged, in ${rounds} rounds`,
    async () => {
      const random = seededRandom(7);
      const acknowledged = new Map<string, number>();
      for (let round = 0; round < rounds; round++) {
        for (const id of await streamAndKill(round, 20 + random.integer(600)))
          acknowledged.set(id, round);
        const store = await openEmbeddedStore({ dataDir });
        const stored = await store.get("c", [...acknowledged.keys()]);
        const generations = new Map(
          stored.map(({ id, metadata }) => [id, metadata.round as number]),
        );
        for (const [id, generation] of acknowledged) {
          // A later round may have been stored without its acknowledgement having arrived.
          expect(generations.get(id), id).toBeGreaterThanOrEqual(generation);
        }
        await store.close();
      }
      expect(acknowledged.size).toBeGreaterThan(rounds);
    },
    30_000 + rounds * 30_000,
  );
});

/**
 * Starts a server, streams items to it without end and kills it some time after the first status.
 * @returns the ids it acknowledged.
 */
async function streamAndKill(round: number, afterMs: number): Promise<string[]> {
  const flags = [
    "--port",
    "0",
    "--data-dir",
    dataDir,
    "--device",
    "cpu",
    "--models",
    "starter-clap",
  ];
  const child = spawn(
    process.execPath,
    ["--import", "tsx", "src/cli.ts", "serve", ...flags, "--log-level", "error"],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, CROSSMODAL_SERVER_ROUNDS: undefined }, // no option of the server
    },
  );
  const ended = new Promise((resolve) => child.once("close", resolve));
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk;
      const found = /listens on (http:\S+)/.exec(said);
      if (found !== null) resolve(found[1]);
    });
    void ended.then(() => reject(new Error(`The server ended by itself: ${said}`)));
  });
  if (round === 0)
    await fetch(`${url}/v1/collections`, jsonPost({ name: "c", space: "plain", dimensions: 16 }));

  const headers = { "content-type": "application/x-ndjson" };
  const sent = request(`${url}/v1/collections/c/items`, { method: "POST", headers });
  sent.on("error", () => undefined);
  let statuses = "";
  const broken = new Promise<void>((resolve) => {
    sent.once("response", (answer) => {
      answer.once("data", () => setTimeout(() => child.kill("SIGKILL"), afterMs));
      answer.on("data", (chunk: Buffer) => {
        statuses += chunk;
      });
      answer.on("error", () => undefined).once("close", () => resolve());
    });
  });
  const embedding = Array.from({ length: 16 }, (_, i) => (i === 3 ? 1 : 0));
  for (let i = 0; child.exitCode === null && child.signalCode === null; i++) {
    const item = { id: `item-${i % 5000}`, embedding, modality: "audio", metadata: { round } };
    if (!sent.write(`${JSON.stringify(item)}\n`)) {
      await Promise.race([new Promise((resolve) => sent.once("drain", resolve)), ended]);
    }
    if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all([broken, ended]);
  return statuses
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { id: string; status: string })
    .filter(({ status }) => status === "stored")
    .map(({ id }) => id);
}
