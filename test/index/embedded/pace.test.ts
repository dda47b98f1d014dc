import { describe, expect, it } from "vitest";
import { Pace } from "../../../src/index/embedded/pace.js";

describe("the pace of background work", () => {
  let time = 1000;
  /**
   * Runs a loop of background work for a second, with searches of `searchMs` one after the other,
   * `pauseMs` apart.
   */
  const run = async (searchMs: number, pauseMs: number) => {
    const pace = new Pace(() => time);
    let worked = 0;
    let delayed = 0;
    let searches = 0;
    const end = time + 1000;
    let nextWork = time;
    const workUntil = (until: number) => {
      while (nextWork <= until) {
        time = Math.max(time, nextWork);
        const wait = pace.work((milliseconds) => {
          time += milliseconds;
          worked += milliseconds;
        });
        nextWork = time + Math.max(wait, 0.01);
      }
      time = Math.max(time, until);
    };
    while (time < end) {
      workUntil(time + pauseMs);
      const came = time;
      await pace.during(async () => {
        workUntil(time); // a turn between its arrival and its answer
        time += searchMs;
      });
      searches++;
      if (time - came > searchMs) delayed++;
    }
    return { worked: worked / 1000, delayed: delayed / searches };
  };

  it("works all the time while nobody searches", () => {
    const pace = new Pace(() => time);
    for (let i = 0; i < 10; i++)
      expect(pace.work((milliseconds) => (time += milliseconds))).toBe(0);
  });

  it("takes about a fifth of the time from consecutive searches, and delays few", async () => {
    const { worked, delayed } = await run(0.5, 0.1);
    expect(worked).toBeGreaterThan(0.1);
    expect(worked).toBeLessThan(0.25);
    expect(delayed).toBeLessThan(0.3);
  });

  it("goes on beside searches that take long", async () => {
    const { worked } = await run(14, 0.3);
    expect(worked).toBeGreaterThan(0.08);
    expect(worked).toBeLessThan(0.25);
  });

  it("counts on another search for a while after the last", async () => {
    const { worked, delayed } = await run(1, 20);
    expect(worked).toBeLessThan(0.25);
    expect(delayed).toBeLessThan(0.3);
    expect((await run(1, 200)).worked).toBeGreaterThan(0.6);
  });
});
