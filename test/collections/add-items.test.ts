import { describe, expect, it } from "vitest";
import {
  type AddParts,
  type AddStatus,
  addItems,
  type Incoming,
  refuseIfAway,
} from "../../src/collections/add-items.js";
import type { NewItem } from "../../src/collections/new-item.js";
import type { Encoder } from "../../src/encoders/encoder.js";
import type { LoadedPack } from "../../src/encoders/load.js";
import { AppError } from "../../src/errors.js";
import type { Item, ItemStatus } from "../../src/index/item.js";
import { createLog } from "../../src/log.js";
import { MediaBudget } from "../../src/media/budget.js";
import { currentPriority } from "../../src/priority.js";
import { fakeEncoder } from "../helpers/fake-encoder.js";

/** A store that only keeps what it is given, and a model that understands texts. */
function parts(encoder: Encoder<"text"> = fakeEncoder()) {
  const written: string[][] = [];
  const store = {
    stats: async (name: string) => ({
      name,
      space: "fake@1",
      dimensions: 2,
      options: { model: "fake" },
    }),
    async upsert(_collection: string, items: readonly Item[]): Promise<ItemStatus[]> {
      written.push(items.map(({ id }) => id));
      return items.map(({ id }) => ({ id, status: "stored", replaced: false }));
    },
  };
  const pack = {
    manifest: { id: "fake" },
    space: "fake@1",
    encoders: { text: encoder },
  } as unknown as LoadedPack;
  const limits = { maxUnits: 1, maxBytes: 1, maxDecoding: 1, maxPerCaller: 1 };
  const made = {
    store,
    packs: { list: () => [pack] },
    bridges: { active: () => [] },
    heads: { list: () => [] },
    turn: new MediaBudget(limits).bulk(),
    log: createLog("silent"),
    keptMedia: { lease: () => ({ release: async () => {} }) },
    config: { maxImagePixels: 1, maxAudioSeconds: 1 },
  };
  return { parts: made as unknown as AddParts, store, written };
}

const text = (id: string): NewItem => ({ id, content: { text: id } });

async function* groups(...all: (Incoming[] | Error)[]): AsyncGenerator<Incoming[]> {
  for (const group of all) {
    if (group instanceof Error) throw group;
    yield group;
  }
}

async function run(added: ReturnType<typeof addItems>) {
  const statuses: (string | null)[][] = [];
  let error: unknown;
  try {
    for await (const group of added) {
      statuses.push(
        ...group.map((one) => [one.id, one.status === "failed" ? one.error.code : one.status]),
      );
    }
  } catch (thrown) {
    error = thrown;
  }
  return { statuses, error };
}

describe("addItems", () => {
  it("writes groups in their order, also when a later one is prepared sooner", async () => {
    const slow = fakeEncoder();
    const encoder: Encoder<"text"> = {
      ...slow,
      async encode(texts, signal) {
        await new Promise((resolve) => setTimeout(resolve, texts[0] === "first" ? 30 : 0));
        return slow.encode(texts, signal);
      },
    };
    const { parts: made, written } = parts(encoder);
    const { statuses } = await run(
      addItems(made, "c", groups([text("first")], [text("second")], [text("third")])),
    );
    expect(written).toEqual([["first"], ["second"], ["third"]]);
    expect(statuses.map(([id]) => id)).toEqual(["first", "second", "third"]);
  });

  it("embeds as bulk work, which gives way to searches", async () => {
    const seen: string[] = [];
    const slow = fakeEncoder();
    const encoder: Encoder<"text"> = {
      ...slow,
      async encode(texts, signal) {
        seen.push(currentPriority());
        return slow.encode(texts, signal);
      },
    };
    await run(addItems(parts(encoder).parts, "c", groups([text("a"), text("b")])));
    expect(seen).toEqual(["bulk", "bulk"]);
  });

  it("fails the items of a group that cannot be written, and goes on with the next", async () => {
    const { parts: made, store } = parts();
    const { upsert } = store;
    let full = true;
    store.upsert = async (...args) => {
      if (full) {
        full = false;
        throw new AppError("storage_full", "No space left");
      }
      return upsert(...args);
    };
    const unreadable = { id: "x", error: new AppError("invalid_input", "no item") };
    const { statuses } = await run(
      addItems(made, "c", groups([text("a"), unreadable, text("b")], [text("d")])),
    );
    expect(statuses).toEqual([
      ["a", "storage_full"],
      ["x", "invalid_input"],
      ["b", "storage_full"],
      ["d", "stored"],
    ]);
  });

  it("adds and tells what came before the source broke off, and then throws why", async () => {
    const { parts: made } = parts();
    const { statuses, error } = await run(
      addItems(made, "c", groups([text("a")], [text("b")], new Error("gone"))),
    );
    expect(statuses).toEqual([
      ["a", "stored"],
      ["b", "stored"],
    ]);
    expect(error).toEqual(new Error("gone"));
  });

  it("gives an item that fails for no reason of its own an error without our insides", async () => {
    const { parts: made } = parts();
    const { statuses } = await run(
      addItems(made, "c", groups([text("a"), text("bad"), text("c")])),
    );
    expect(statuses).toEqual([
      ["a", "stored"],
      ["bad", "inference_failed"],
      ["c", "stored"],
    ]);
  });

  it("takes no more groups than it has room for while nobody reads its statuses", async () => {
    const { parts: made } = parts();
    let taken = 0;
    const source = (async function* () {
      while (true) yield [text(`${taken++}`)];
    })();
    const added = addItems(made, "c", source);
    await added.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(taken).toBeLessThanOrEqual(6);
    await added.return(undefined);
  });

  it("stops when it is aborted", async () => {
    const { parts: made, written } = parts(fakeEncoder(50));
    const stop = new AbortController();
    const running = run(
      addItems(made, "c", groups([text("a")], [text("b")]), { signal: stop.signal }),
    );
    setTimeout(() => stop.abort(new AppError("cancelled", "gone")), 5);
    expect(await running).toMatchObject({ statuses: [], error: { code: "cancelled" } });
    expect(written).toEqual([]);
  });
});

describe("refuseIfAway", () => {
  const failed = (code: "storage_unavailable" | "conflict"): AddStatus => ({
    id: "a",
    status: "failed",
    error: new AppError(code, "it is not there"),
  });
  const stored: AddStatus = { id: "b", status: "stored", replaced: false };

  it("refuses items of which none was stored because the database is away", () => {
    const away = failed("storage_unavailable");
    expect(() => refuseIfAway([away, away])).toThrow("it is not there");
    for (const some of [[], [away, stored], [away, failed("conflict")], [stored]])
      expect(() => refuseIfAway(some)).not.toThrow();
  });
});
