import { describe, expect, it } from "vitest";
import { RunQueue } from "../../src/encoders/run-queue.js";
import type { Priority } from "../../src/priority.js";

/** Runs that last until they are told to end. */
function runs() {
  const queue = new RunQueue();
  const log: string[] = [];
  const start = (name: string, priority: Priority) => {
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const done = queue.run(priority, async () => {
      log.push(name);
      await ended;
      return name;
    });
    return { done, end };
  };
  return { log, start };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

describe("RunQueue", () => {
  it("runs one at a time, and an interactive run after the one under way, before all of bulk", async () => {
    const { log, start } = runs();
    const bulk = ["b0", "b1", "b2"].map((name) => start(name, "bulk"));
    await turn();
    const search = start("search", "interactive");
    bulk[0].end();
    await turn();
    expect(log).toEqual(["b0", "search"]);
    for (const { end } of [search, ...bulk]) end();
    expect(await Promise.all([...bulk, search].map(({ done }) => done))).toEqual([
      "b0",
      "b1",
      "b2",
      "search",
    ]);
    expect(log).toEqual(["b0", "search", "b1", "b2"]);
  });

  it("goes on after a run that fails", async () => {
    const queue = new RunQueue();
    const failing = queue.run("interactive", () => Promise.reject(new Error("no")));
    const next = queue.run("interactive", async () => "next");
    await expect(failing).rejects.toThrow("no");
    expect(await next).toBe("next");
  });
});
