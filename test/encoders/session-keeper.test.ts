import { describe, expect, it } from "vitest";
import type { Session } from "../../src/encoders/session.js";
import { SessionKeeper } from "../../src/encoders/session-keeper.js";

/** Graphs that count how often they were opened and closed. */
function graphs(options: { idleMs?: number; maxBytes?: number }) {
  let now = 0;
  const keeper = new SessionKeeper({ idleMs: 0, maxBytes: 0, ...options }, () => now);
  const log: string[] = [];
  const pinned = new Set<string>();
  const open = (name: string, bytes: number) =>
    keeper.open({
      name,
      bytes,
      isPinned: () => pinned.has(name),
      async open(): Promise<Session> {
        log.push(`open ${name}`);
        return {
          info: { inputs: [], outputs: [], provider: "cpu", runtime: name },
          run: async () => {
            await new Promise(setImmediate);
            return {};
          },
          close: async () => {
            log.push(`close ${name}`);
          },
        };
      },
    });
  return {
    keeper,
    log,
    pinned,
    open,
    wait: (ms: number) => {
      now += ms;
      keeper.check();
    },
  };
}

describe("SessionKeeper", () => {
  it("closes what was not used for so long, and opens it again with the next run", async () => {
    const { log, open, wait } = graphs({ idleMs: 1000 });
    const session = await open("a", 10);
    wait(999);
    expect([session.isAwake, log]).toEqual([true, ["open a"]]);
    wait(1);
    expect([session.isAwake, session.info.runtime]).toEqual([false, "a"]);
    await Promise.all([session.run({}), session.run({})]);
    expect(log).toEqual(["open a", "close a", "open a"]);
    expect(session.isAwake).toBe(true);
  });

  it("closes none that runs, and none that is pinned", async () => {
    const { open, pinned, wait } = graphs({ idleMs: 1000 });
    pinned.add("pinned");
    const [running, kept] = [await open("running", 10), await open("pinned", 10)];
    const run = running.run({});
    wait(5000);
    expect([running.isAwake, kept.isAwake]).toEqual([true, true]);
    await run;
    wait(1000);
    expect([running.isAwake, kept.isAwake]).toEqual([false, true]);
  });

  it("closes the least recently used ones when together they are too large", async () => {
    const { open, wait } = graphs({ maxBytes: 25 });
    const a = await open("a", 10);
    wait(1);
    const b = await open("b", 10);
    wait(1);
    await a.run({});
    wait(1);
    const c = await open("c", 10);
    expect([a, b, c].map(({ isAwake }) => isAwake)).toEqual([true, false, true]);
    await b.run({});
    expect([a, b, c].map(({ isAwake }) => isAwake)).toEqual([false, true, true]);
  });

  it("closes those that ran while another was opened once they have ended", async () => {
    const { open, wait } = graphs({ maxBytes: 15 });
    const a = await open("a", 10);
    const first = a.run({});
    const b = await open("b", 10);
    const second = b.run({});
    wait(1000);
    expect([a, b].map(({ isAwake }) => isAwake)).toEqual([true, true]);
    await Promise.all([first, second]);
    wait(1);
    await b.run({});
    wait(1000);
    expect([a, b].map(({ isAwake }) => isAwake)).toEqual([false, true]);
  });

  it("closes what is no longer pinned where all are too large", async () => {
    const { open, pinned, wait } = graphs({ maxBytes: 15 });
    pinned.add("a");
    const a = await open("a", 10);
    wait(1);
    const b = await open("b", 10);
    wait(1000);
    expect([a, b].map(({ isAwake }) => isAwake)).toEqual([true, true]);
    pinned.delete("a");
    wait(1000);
    expect([a, b].map(({ isAwake }) => isAwake)).toEqual([false, true]);
  });

  it("lets one be larger than the limit: it stays, alone", async () => {
    const { open, wait } = graphs({ maxBytes: 5 });
    const session = await open("a", 10);
    await session.run({});
    wait(5000);
    expect(session.isAwake).toBe(true);
  });

  it("opens nothing again for a run after it was closed", async () => {
    const { log, open } = graphs({});
    const session = await open("a", 10);
    const [run] = [session.run({}), session.close()];
    expect(await run).toEqual({});
    await expect(session.run({})).rejects.toMatchObject({ code: "unavailable" });
    expect(log).toEqual(["open a", "close a"]);
  });

  it("tries again after a session could not be opened", async () => {
    const keeper = new SessionKeeper({ idleMs: 10, maxBytes: 0 }, () => Number.POSITIVE_INFINITY);
    let isBroken = false;
    const session = await keeper.open({
      name: "a",
      bytes: 1,
      isPinned: () => false,
      async open() {
        if (isBroken) throw new Error("the file is gone");
        return { info: {} as never, run: async () => ({}), close: async () => {} };
      },
    });
    await session.sleep();
    isBroken = true;
    await expect(session.run({})).rejects.toThrow("the file is gone");
    isBroken = false;
    expect(await session.run({})).toEqual({});
    keeper.close();
  });

  it("opens a session again that could not be closed in order", async () => {
    const keeper = new SessionKeeper({ idleMs: 0, maxBytes: 0 });
    const session = await keeper.open({
      name: "a",
      bytes: 1,
      isPinned: () => false,
      open: async () => ({
        info: {} as never,
        run: async () => ({}),
        close: async () => {
          throw new Error("its thread has gone");
        },
      }),
    });
    await expect(session.sleep()).rejects.toThrow("its thread has gone");
    expect(await session.run({})).toEqual({});
  });
});
