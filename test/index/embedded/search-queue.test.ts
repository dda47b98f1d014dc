import { describe, expect, it } from "vitest";
import type { CoreQuery, CoreResult } from "../../../src/index/core-query.js";
import { type QueuedQuery, SearchQueue } from "../../../src/index/embedded/search-queue.js";

/**
 * Answers each query with its item id as the only neighbour's, and remembers the groups it was
 * given.
 */
function recorder(size: number) {
  const groups: string[] = [];
  const answer = (name: string, queries: readonly QueuedQuery[]): (CoreResult | Error)[] => {
    groups.push(`${name}: ${queries.map(({ query }) => query.itemId).join(" ")}`);
    if (name === "broken") throw new Error("the disk is gone");
    return queries.map(({ query }) =>
      query.itemId === "bad"
        ? new Error("there is no item bad")
        : { plan: "scan", last: undefined, neighbors: [idOf(query)], bytes: 10 },
    );
  };
  return { groups, queue: new SearchQueue({ groupSize: () => size, answer }) };
}

const idOf = (query: CoreQuery) => ({ id: query.itemId! }) as CoreResult["neighbors"][number];
const query = (itemId: string, more: Partial<CoreQuery> = {}): CoreQuery => ({
  itemId,
  topK: 1,
  recall: "high",
  ...more,
});
const idsOf = async (results: Promise<CoreResult[]>) =>
  (await results).map(({ neighbors }) => neighbors[0].id);

describe("SearchQueue", () => {
  it("answers waiting queries of a collection together, each caller's in order", async () => {
    const { groups, queue } = recorder(4);
    const calls = [
      queue.search("a", [query("1"), query("2"), query("3")]),
      queue.search("b", [query("4")]),
      queue.search("a", [query("5")]),
    ];
    expect(await Promise.all(calls.map(idsOf))).toEqual([["1", "2", "3"], ["4"], ["5"]]);
    expect(groups).toEqual(["a: 1 5 2 3", "b: 4"]);
  });

  it("lets callers take turns, so that many queries of one do not hold up another's", async () => {
    const { groups, queue } = recorder(2);
    const many = queue.search(
      "a",
      ["1", "2", "3", "4", "5"].map((id) => query(id)),
    );
    const one = queue.search("b", [query("x")]);
    const order: string[] = [];
    await Promise.all([many.then(() => order.push("many")), one.then(() => order.push("one"))]);
    expect(order).toEqual(["one", "many"]);
    expect(groups).toEqual(["a: 1 2", "b: x", "a: 3 4", "a: 5"]);
  });

  it("gives each caller one turn before queries of another collection or kind", async () => {
    const { groups, queue } = recorder(2);
    const many = ["1", "2", "3", "4"].map((id) =>
      queue.search("a", [query(id), query(id), query(id)]),
    );
    const others = [
      queue.search("b", [query("x")]),
      queue.search("a", [query("y", { recall: "exact" })]),
    ];
    await Promise.all([...many, ...others]);
    expect(groups).toEqual([
      "a: 1 2",
      "a: 3 4",
      "b: x",
      "a: y",
      "a: 1 2",
      "a: 3 4",
      "a: 1 2",
      "a: 3 4",
    ]);
  });

  it("lets what comes while it answers join the next group", async () => {
    const { groups, queue } = recorder(8);
    const first = queue.search("a", [query("1")]);
    await first;
    await Promise.all(["2", "3"].map((id) => queue.search("a", [query(id)])));
    expect(groups).toEqual(["a: 1", "a: 2 3"]);
  });

  it("answers alone a page, a filter, a modality, centring, exactness or many neighbours", async () => {
    const { groups, queue } = recorder(8);
    const filter = { field: "n", op: "eq", value: 1 } as const;
    const special: Partial<CoreQuery>[] = [
      { after: { similarity: 1, row: 1 } },
      { filter },
      { modality: 1 },
      { centering: {} },
      { recall: "exact" },
      { topK: 10_000 },
    ];
    const calls = special.map((more, i) => queue.search("a", [query(`s${i}`, more)]));
    calls.push(queue.search("a", [query("p"), query("q")]));
    expect((await Promise.all(calls.map(idsOf))).flat()).toEqual([
      "s0",
      "s1",
      "s2",
      "s3",
      "s4",
      "s5",
      "p",
      "q",
    ]);
    expect(groups).toEqual([...special.map((_, i) => `a: s${i}`), "a: p q"]);
  });

  it("fails only the caller whose query failed", async () => {
    const { queue } = recorder(8);
    const good = queue.search("a", [query("1"), query("2")]);
    const bad = queue.search("a", [query("3"), query("bad"), query("4")]);
    await expect(bad).rejects.toThrow("there is no item bad");
    expect(await idsOf(good)).toEqual(["1", "2"]);
    await expect(queue.search("broken", [query("5")])).rejects.toThrow("the disk is gone");
    expect(await idsOf(queue.search("a", [query("6")]))).toEqual(["6"]);
  });

  it("has nothing to do for no queries", async () => {
    const { groups, queue } = recorder(8);
    expect(await queue.search("a", [])).toEqual([]);
    expect(groups).toEqual([]);
  });

  it("drops what waits of a call that is cancelled, and goes on with the others", async () => {
    const { groups, queue } = recorder(1);
    const gone = queue.search("a", [query("1"), query("2")], { id: 7 });
    queue.cancel(7);
    queue.cancel(8);
    await expect(gone).rejects.toMatchObject({ code: "cancelled" });
    expect(await idsOf(queue.search("a", [query("3")]))).toEqual(["3"]);
    const many = queue.search("a", [query("4"), query("5"), query("6")], { id: 9 });
    const next = queue.search("b", [query("7")]);
    await new Promise((resolve) => setImmediate(resolve));
    queue.cancel(9);
    await expect(many).rejects.toMatchObject({ code: "cancelled" });
    expect(await idsOf(next)).toEqual(["7"]);
    expect(groups).toEqual(["a: 3", "a: 4", "b: 7"]);
  });

  it("ends a call whose answers are too large together", async () => {
    const { groups, queue } = recorder(1);
    const large = queue.search("a", [query("1"), query("2"), query("3")], { maxBytes: 15 });
    await expect(large).rejects.toMatchObject({ code: "too_large", param: "top_k" });
    expect(groups).toEqual(["a: 1", "a: 2"]);
    expect(await idsOf(queue.search("a", [query("4")], { maxBytes: 10 }))).toEqual(["4"]);
  });

  it("refuses more calls than may wait", async () => {
    const { queue } = recorder(8);
    const calls = Array.from({ length: 1024 }, (_, i) => queue.search("a", [query(`${i}`)]));
    const refused = queue.search("a", [query("x")]);
    await expect(refused).rejects.toMatchObject({ code: "overloaded", retryAfterSeconds: 1 });
    expect((await Promise.all(calls)).length).toBe(1024);
  });
});
