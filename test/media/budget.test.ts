import { describe, expect, it } from "vitest";
import { MediaBudget, unitsOf } from "../../src/media/budget.js";
import { currentPriority, inBulk } from "../../src/priority.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const limits = { maxUnits: 512, maxBytes: 100, maxDecoding: 2, maxPerCaller: 4 };
const texts = (inputs: number) => [{ inputs }];
const MB = 2 ** 20;

/** A request that works until it is told to end. */
function hold(budget: MediaBudget, inputs: number) {
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  let isAdmitted = false;
  const done = budget.request(texts(inputs), undefined, () => {
    isAdmitted = true;
    return ended;
  });
  return { done, end, isAdmitted: () => isAdmitted };
}

const refusal = (budget: MediaBudget, inputs: number) =>
  budget.request(texts(inputs), undefined, async () => "admitted").catch((error) => error);

describe("unitsOf", () => {
  it("counts a photo of 12 megapixels as more than ten small inputs, a text as one", () => {
    const photo = { inputs: 1, sentBytes: 4 * MB, decodedBytes: 12e6 * 8 };
    expect(unitsOf(photo)).toBeCloseTo(1 + 4 + 96e6 / (8 * MB), 9);
    expect(unitsOf({ inputs: 1 })).toBe(1);
  });
});

describe("MediaBudget.request", () => {
  it("refuses at once what finds no room, and gives room back however a request ends", async () => {
    const budget = new MediaBudget(limits);
    const running = Array.from({ length: 384 }, () => hold(budget, 1));
    expect(running.every(({ isAdmitted }) => isAdmitted())).toBe(true);
    let began = false;
    const refused = budget.request(texts(1), undefined, async () => {
      began = true;
    });
    await expect(refused).rejects.toMatchObject({ code: "overloaded", retryAfterSeconds: 1 });
    await expect(refused).rejects.toThrow("option maxQueued");
    expect(began).toBe(false);
    expect(() => budget.refuseWhenFull()).toThrow("option maxQueued");
    for (const { end } of running) end();
    await Promise.all(running.map(({ done }) => done));
    const failing = budget.request(texts(300), undefined, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(budget.units).toBe(0);
    expect(await refusal(budget, 1)).toBe("admitted");
  });

  it("counts a request as an eighth at most, so that the largest shuts out no other", async () => {
    const budget = new MediaBudget(limits);
    const large = hold(budget, 2_000);
    expect(budget.units).toBe(64);
    expect(await refusal(budget, 1)).toBe("admitted");
    expect(await refusal(budget, 2_000)).toBe("admitted");
    large.end();
    await large.done;
  });

  it("leaves room for small requests among any number of large ones, and the reverse", async () => {
    const crowded = new MediaBudget(limits);
    const large = Array.from({ length: 64 }, () => hold(crowded, 2_000));
    for (const { done } of large) done.catch(() => undefined);
    expect(large.filter(({ isAdmitted }) => isAdmitted()).length).toBe(6);
    expect(await refusal(crowded, 1)).toBe("admitted");
    const busy = new MediaBudget(limits);
    const small = Array.from({ length: 500 }, () => hold(busy, 1));
    for (const { done } of small) done.catch(() => undefined);
    expect(await refusal(busy, 1)).toMatchObject({ code: "overloaded" });
    expect(await refusal(busy, 2_000)).toBe("admitted");
  });

  it("admits a request alone whatever it costs and however small the limit is", async () => {
    const budget = new MediaBudget({ ...limits, maxUnits: 1 });
    const alone = hold(budget, 1_000_000);
    expect(alone.isAdmitted()).toBe(true);
    expect(await refusal(budget, 1)).toMatchObject({ code: "overloaded" });
    alone.end();
    await alone.done;
  });

  it("lets a large request give way to small ones", async () => {
    const budget = new MediaBudget(limits);
    const priorityOf = (inputs: number) =>
      budget.request(texts(inputs), undefined, async () => currentPriority());
    expect(await Promise.all([1, 32, 33, 2_000].map(priorityOf))).toEqual([
      "interactive",
      "interactive",
      "bulk", // more than a sixteenth of 512
      "bulk",
    ]);
  });

  it("looks at no more inputs than it takes to know that a request is large", async () => {
    let looked = 0;
    const costs = function* () {
      for (; looked < 1000; looked++) yield { inputs: 1, decodedBytes: 80 * MB };
    };
    await new MediaBudget(limits).request(costs(), undefined, async () => undefined);
    expect(looked).toBeLessThan(6);
  });

  it("says when to come back by how fast work has ended lately", async () => {
    let now = 0;
    const budget = new MediaBudget({ ...limits, maxUnits: 1024 }, () => now);
    // 10 requests a second for a minute: each is one unit.
    for (now = 0; now < 60_000; now += 100)
      await budget.request(texts(1), undefined, async () => undefined);
    for (let i = 0; i < 768; i++) void hold(budget, 1);
    const [next, later] = [await refusal(budget, 1), await refusal(budget, 49)];
    expect(next.retryAfterSeconds).toBe(1);
    expect(later.retryAfterSeconds).toBe(5); // 49 units at 9.95 a second
    now += 60_000; // nothing has ended for a minute
    expect((await refusal(budget, 1)).retryAfterSeconds).toBe(41); // 1 / (10 e^-6)
  });

  it("begins nothing for a client that is gone", async () => {
    const gone = AbortSignal.abort(new Error("gone"));
    const budget = new MediaBudget(limits);
    await expect(budget.request(texts(1), gone, async () => 1)).rejects.toThrow("gone");
    expect(budget.units).toBe(0);
  });
});

/** Files whose decoding and use end when they are told to. */
function files(budget: MediaBudget) {
  const log: string[] = [];
  const caller = (signal?: AbortSignal) => {
    const access = budget.bulk(signal);
    return (name: string, bytes: number, kept = bytes) => {
      let decoded = () => {};
      let used = () => {};
      const decoding = new Promise<void>((resolve) => (decoded = resolve));
      const using = new Promise<void>((resolve) => (used = resolve));
      const decode = () => {
        log.push(`decode ${name}`);
        return decoding;
      };
      const read = async () => ({ bytes, decode, keptBytes: () => kept });
      const done = access.decodeAndUse(read, async () => {
        log.push(`use ${name}`);
        await using;
        return name;
      });
      return { done, decoded, used };
    };
  };
  return { log, caller };
}

describe("Turn.decodeAndUse", () => {
  it("decodes as many as there are decoders, callers in turn", async () => {
    const { log, caller } = files(new MediaBudget({ ...limits, maxDecoding: 1 }));
    const [bulk, small] = [caller(), caller()];
    const [first, second] = ["b1", "b2", "b3"].map((name) => bulk(name, 1));
    await turn();
    small("s1", 1);
    await turn();
    expect(log).toEqual(["decode b1"]);
    first.decoded();
    await turn();
    expect(log).toEqual(["decode b1", "use b1", "decode b2"]);
    second.decoded();
    await turn();
    expect(log.slice(3)).toEqual(["use b2", "decode s1"]);
  });

  it("decodes for those who wait before it goes on with bulk work", async () => {
    const { log, caller } = files(new MediaBudget({ ...limits, maxDecoding: 1 }));
    const add = caller();
    const [first] = inBulk(() => ["b1", "b2", "b3"].map((name) => add(name, 1)));
    // Requests of the tests above are under way: bulk work gives way to them for a while
    await expect.poll(() => log).toEqual(["decode b1"]);
    const search = caller()("search", 1);
    await turn();
    first.decoded();
    await turn();
    search.decoded();
    await turn();
    await expect
      .poll(() => log.filter((line) => line.startsWith("decode")))
      .toEqual(["decode b1", "decode search", "decode b2"]);
  });

  it("decodes nothing new while held media fills the budget, and goes on once it is used", async () => {
    const budget = new MediaBudget(limits);
    const { log, caller } = files(budget);
    const start = caller();
    const [a, b, c] = ["a", "b", "c"].map((name) => start(name, 40));
    await turn();
    expect(log).toEqual(["decode a", "decode b"]);
    expect(budget.bytes).toBe(80);
    a.decoded();
    await turn();
    expect(log.slice(2)).toEqual(["use a"]);
    a.used();
    expect(await a.done).toBe("a");
    await turn();
    expect(log.slice(3)).toEqual(["decode c"]);
    for (const file of [b, c]) file.decoded();
    for (const file of [b, c]) file.used();
    await Promise.all([b.done, c.done]);
    expect(budget.bytes).toBe(0);
  });

  it("keeps after decoding only what the decoded media takes", async () => {
    const budget = new MediaBudget(limits);
    const { log, caller } = files(budget);
    const start = caller();
    const first = start("a", 70, 30);
    await turn();
    first.decoded();
    await turn();
    expect(budget.bytes).toBe(30);
    start("b", 70);
    await turn();
    expect(log).toEqual(["decode a", "use a", "decode b"]);
  });

  it("decodes a file that is larger than the limit beside little else, in its turn", async () => {
    const { log, caller } = files(new MediaBudget(limits));
    const [bulk, small] = [caller(), caller()];
    const a = bulk("a", 50);
    await turn();
    const huge = bulk("huge", 1_000_000);
    small("s", 10); // would fit, but the huge one is before it and would never come
    await turn();
    expect(log).toEqual(["decode a"]);
    a.decoded();
    a.used();
    await a.done;
    await turn();
    expect(log).toEqual(["decode a", "use a", "decode huge", "decode s"]);
    huge.decoded();
  });

  it("makes room again after a failure, and for those behind a client that went away", async () => {
    const budget = new MediaBudget({ ...limits, maxPerCaller: 1, maxDecoding: 1 });
    const broken = budget.bulk().decodeAndUse(
      async () => ({
        bytes: 100,
        decode: () => Promise.reject(new Error("broken")),
        keptBytes: () => 1,
      }),
      async () => undefined,
    );
    await expect(broken).rejects.toThrow("broken");
    expect(budget.bytes).toBe(0);
    const { log, caller } = files(budget);
    const gone = new AbortController();
    const first = caller()("first", 60);
    await turn();
    const [waiting, unread] = ["waiting", "unread"].map((name) => caller(gone.signal)(name, 60));
    const next = caller()("next", 30);
    await turn();
    gone.abort(new Error("gone"));
    for (const { done } of [waiting, unread]) await expect(done).rejects.toThrow("gone");
    first.decoded();
    await turn();
    expect(log).toEqual(["decode first", "use first", "decode next"]);
    next.decoded();
  });

  it("holds so many files of one caller, and reads no more than those", async () => {
    const budget = new MediaBudget(limits);
    const access = budget.bulk();
    let reading = 0;
    const never = new Promise<never>(() => {});
    for (let i = 0; i < 10; i++) {
      const read = () => {
        reading++;
        return never;
      };
      void access.decodeAndUse(read, async () => undefined);
    }
    await turn();
    expect(reading).toBe(4);
  });
});
