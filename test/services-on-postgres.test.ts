import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasPostgres, onPostgres, TestPostgres } from "./helpers/postgres.js";
import { type ServedProcess, serve } from "./helpers/serve.js";

/** The database is asked for /health/ready once a second. */
const patience = { timeout: 10_000 };

describe.skipIf(!hasPostgres(18))(onPostgres("crossmodal serve --store"), () => {
  let server: TestPostgres;
  let served: ServedProcess | undefined;
  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(async () => {
    served?.child.kill("SIGKILL");
    await server?.dispose();
  });

  it("ends with a sentence on a database that does not exist", async () => {
    const starting = serve(["--models", "starter-clip", "--store", server.url("nowhere")]);
    await expect(starting).rejects.toThrow(/The database does not exist; create it/);
  });

  it("starts while the database is away, says so, and goes on when it is there", async () => {
    await server.stop();
    served = await serve(["--models", "starter-clip", "--store", server.url()]);
    const { url } = served;
    const ready = async () => {
      const response = await fetch(`${url}/health/ready`);
      return { status: response.status, body: await response.json() };
    };
    await expect.poll(ready, patience).toMatchObject({
      status: 503,
      body: {
        status: "degraded",
        reasons: [expect.stringContaining("The database cannot be used at the moment")],
        database: { role: "away" },
      },
    });
    const away = await fetch(`${url}/v1/collections`);
    expect(away.status).toBe(503);
    expect(Number(away.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await away.json()).toMatchObject({ error: { code: "storage_unavailable" } });

    await server.run();
    await expect.poll(async () => (await ready()).status, patience).toBe(200);
    expect(await (await fetch(`${url}/v1/collections`)).json()).toMatchObject({ data: [] });
    const database = { role: "primary", standbys: 0, synchronous: 0, lag_seconds: 0, lag_bytes: 0 };
    expect((await ready()).body).toEqual({ status: "ready", database });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('crossmodal_database_role{role="primary"} 1');
    expect(metrics).toContain('crossmodal_database_role{role="away"} 0');
    await server.kill();
    await expect.poll(async () => (await ready()).status, patience).toBe(503);
    await server.run();
    await expect.poll(async () => (await ready()).status, patience).toBe(200);
    expect(served.output()).not.toContain("uncaught");
  });

  it("never shows the password", async () => {
    const store = `postgres://app:s3cret-word@127.0.0.1:${server.port}/postgres`;
    const starting = serve(["--models", "starter-clip", "--log-level", "debug", "--store", store]);
    const failure = await starting.then(
      () => "started",
      (error: Error) => error.message,
    );
    expect(failure).toContain("password authentication failed");
    expect(failure).not.toContain("s3cret-word");
  });
});
