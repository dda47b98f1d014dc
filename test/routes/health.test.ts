import { describe, expect, it, vi } from "vitest";
import { healthRoutes } from "../../src/routes/health.js";
import type { Services } from "../../src/services.js";

describe("GET /health/ready", () => {
  it("asks the store and the database once for all who ask within a second", async () => {
    const condition = vi.fn(async () => ({}));
    const database = vi.fn(async () => ({ role: "primary" }));
    const troubles: string[] = [];
    const services = {
      ready: Promise.resolve(),
      stopping: new AbortController().signal,
      store: { condition },
      troubles: () => [...troubles],
      audit: { trouble: undefined },
      database,
    };
    const app = healthRoutes(services as unknown as Services);
    await services.ready;
    const ask = async () => (await app.request("/health/ready")).json();
    for (const answer of await Promise.all(Array.from({ length: 100 }, ask)))
      expect(answer).toEqual({ status: "ready", database: { role: "primary" } });
    expect([condition, database].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 1001);
    await ask();
    expect([condition, database].map(({ mock }) => mock.calls.length)).toEqual([2, 2]);
    troubles.push("The database cannot be used at the moment");
    expect(await ask()).toMatchObject({ status: "degraded", reasons: troubles });
    expect([condition, database].map(({ mock }) => mock.calls.length)).toEqual([3, 3]);
  });
});
