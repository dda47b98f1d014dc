import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JobAnswer } from "./helpers/jobs.js";
import { noiseTraining } from "./helpers/noise-training.js";
import { hasPostgres, onPostgres, TestPostgres } from "./helpers/postgres.js";
import { type ServedProcess, serve } from "./helpers/serve.js";
import { jsonPost } from "./helpers/services.js";

const json = async (url: string, init?: RequestInit) => (await fetch(url, init)).json();

describe.skipIf(!hasPostgres(18))(onPostgres("a killed server of two"), () => {
  let postgres: TestPostgres;
  const servers: ServedProcess[] = [];
  beforeAll(async () => {
    postgres = await TestPostgres.start();
    const args = ["--models", "starter-clip", "--threads", "1", "--store", postgres.url()];
    for (let i = 0; i < 2; i++) servers.push(await serve(args));
  });
  afterAll(async () => {
    for (const { child } of servers) child.kill("SIGKILL");
    await postgres?.dispose();
  });

  it("takes nothing with it that was acknowledged, and the other goes on with its job", async () => {
    const [first, second] = servers;
    const models = (await json(`${first.url}/v1/models`)) as { data: { dimensions: number }[] };
    const { dimensions } = models.data[0];
    await json(`${first.url}/v1/collections`, jsonPost({ name: "notes", model: "starter-clip" }));

    const acknowledged: string[] = [];
    let isOver = false;
    const writer = async ({ url }: ServedProcess, mark: string) => {
      for (let i = 0; !isOver; i++) {
        const id = `${mark}-${i}`;
        const embedding = Array.from({ length: dimensions }, (_, at) => (at === i % 9 ? 1 : 0));
        const item = jsonPost({ id, embedding, modality: "text" });
        const { status } = (await json(`${url}/v1/collections/notes/items`, item)) as {
          status?: string;
        };
        if (status === "stored") acknowledged.push(id);
      }
    };
    const writing = servers.map((server, i) => writer(server, `w${i}`).catch(() => undefined));

    const { job } = (await json(
      `${first.url}/v1/heads`,
      noiseTraining(dimensions, { name: "killed", epochs: "400" }),
    )) as {
      job: JobAnswer;
    };
    const path = `/v1/jobs/${job.id}`;
    const jobAt = async ({ url }: ServedProcess) => (await json(`${url}${path}`)) as JobAnswer;
    const epoch = async () => Number((await jobAt(second)).detail?.epoch ?? 0);
    await expect.poll(epoch).toBeGreaterThan(3);
    const stored = () => postgres.query("select from crossmodal.files where path ~ 'checkpoint'");
    await expect.poll(async () => (await stored()).length).toBeGreaterThan(0);
    await expect.poll(() => acknowledged.length).toBeGreaterThan(20);
    const [{ owner }] = await postgres.query<{ owner: string }>(
      "select owner from crossmodal.jobs",
    );
    const nameOf = ({ dataDir }: ServedProcess) =>
      readFileSync(join(dataDir, "server-name"), "utf8").trim();
    const victim = servers.find((server) => nameOf(server) === owner) as ServedProcess;
    const survivor = victim === first ? second : first;
    const before = await epoch();
    victim.child.kill("SIGKILL");
    await victim.ended;

    const next = async () => {
      const [row] = await postgres.query<{ owner: string }>("select owner from crossmodal.jobs");
      return row.owner;
    };
    await expect.poll(next).toBe(nameOf(survivor));
    await expect.poll(async () => (await jobAt(survivor)).detail?.epoch).toBeGreaterThan(before);
    isOver = true;
    await Promise.all(writing);
    await fetch(`${survivor.url}${path}`, { method: "DELETE" }); // that it goes on was to be seen
    const rows = await postgres.query<{ id: string }>("select id from crossmodal.items_1");
    const found = new Set(rows.map(({ id }) => id));
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
  });
});
