import { describe, expect, it } from "vitest";
import { Activity } from "../../src/activity.js";
import type { LoadedPack } from "../../src/encoders/load.js";
import { ModelRegistry } from "../../src/encoders/model-registry.js";
import { createLog } from "../../src/log.js";
import { fakePack } from "../helpers/fake-packs.js";

function registry(ids: string[]) {
  const disposed: string[] = [];
  let version = 0;
  let gate = Promise.resolve();
  const load = async (id: string): Promise<LoadedPack> => {
    if (id === "broken") throw new Error("broken");
    const name = `${id} ${++version}`;
    await new Promise(setImmediate);
    await gate;
    const dispose = async () => {
      disposed.push(name);
    };
    return { ...fakePack(id, 2), space: name, dispose };
  };
  const loaded: LoadedPack[] = [];
  const activity = new Activity();
  const models = new ModelRegistry({ loaded, load, activity, log: createLog("silent") });
  let changes = 0;
  models.onChange = () => changes++;
  const ready = (async () => {
    for (const id of ids) await models.load(id);
    changes = 0;
  })();
  return {
    models,
    activity,
    disposed,
    ready,
    changes: () => changes,
    /** Holds back what is being loaded. @returns what lets it go on. */
    hold() {
      let open = () => {};
      gate = new Promise((resolve) => {
        open = resolve;
      });
      return open;
    },
    spaces: () => loaded.map(({ space }) => space),
  };
}

describe("ModelRegistry", () => {
  it("loads a model once, however many ask for it at once, and not again", async () => {
    const { models, spaces, changes } = registry([]);
    const both = await Promise.all([models.load("a"), models.load("a")]);
    expect(both.map(({ isNew }) => isNew)).toEqual([true, true]);
    expect((await models.load("a")).isNew).toBe(false);
    expect([spaces(), changes()]).toEqual([["a 1"], 1]);
  });

  it("replaces a model, and frees the old one when what began before has ended", async () => {
    const { models, activity, disposed, spaces, ready } = registry(["a", "b"]);
    await ready;
    let end = () => {};
    const request = activity.during(new Promise<void>((resolve) => (end = resolve)));
    await models.load("a", { reload: true });
    expect([spaces(), disposed]).toEqual([["a 3", "b 2"], []]);
    end();
    await request;
    await models.close();
    expect(disposed).toEqual(["a 1"]);
  });

  it("unloads a model at once for what comes; a failed load changes nothing", async () => {
    const { models, disposed, spaces, ready } = registry(["a", "b"]);
    await ready;
    models.pin("a", true);
    models.unload("a");
    expect([spaces(), models.pinned.size]).toEqual([["b 2"], 0]);
    expect(() => models.unload("a")).toThrow('No model "a" is loaded');
    await expect(models.load("broken")).rejects.toThrow("broken");
    expect(spaces()).toEqual(["b 2"]);
    await models.close();
    expect(disposed).toEqual(["a 1"]);
  });

  it("leaves a model unloaded that was being loaded again meanwhile", async () => {
    const { models, disposed, spaces, hold, ready } = registry(["a"]);
    await ready;
    const open = hold();
    const again = models.load("a", { reload: true });
    again.catch(() => undefined);
    await new Promise(setImmediate);
    models.unload("a");
    open();
    await expect(again).rejects.toMatchObject({ code: "conflict" });
    expect(spaces()).toEqual([]);
    await models.close();
    expect(disposed.sort()).toEqual(["a 1", "a 2"]);
  });

  it("loads a model for whoever asks after it was unloaded", async () => {
    const { models, spaces, hold, ready } = registry(["a"]);
    await ready;
    const open = hold();
    const again = models.load("a", { reload: true });
    again.catch(() => undefined);
    models.unload("a");
    const after = models.load("a");
    open();
    await expect(again).rejects.toMatchObject({ code: "conflict" });
    expect([(await after).pack.space, spaces()]).toEqual(["a 3", ["a 3"]]);
  });

  it("takes another configuration's models in its order, before those loaded by hand", async () => {
    const { models, disposed, spaces, changes, ready } = registry(["a", "b", "by hand"]);
    await ready;
    const before = { models: ["a", "b"], pinnedModels: ["a"] };
    const after = { models: ["c", "b", "d"], pinnedModels: ["d"] };
    models.pin("a", true);
    const changed = await models.reconfigure(before, after);
    expect(changed).toEqual({ loaded: ["c", "d"], unloaded: ["a"] });
    expect(spaces()).toEqual(["c 4", "b 2", "d 5", "by hand 3"]);
    expect([[...models.pinned], changes()]).toEqual([["d"], 1]);
    await models.close();
    expect(disposed).toEqual(["a 1"]);
  });

  it("shows none of another configuration's models before all are loaded", async () => {
    const { models, disposed, spaces, hold, ready } = registry(["a"]);
    await ready;
    const before = { models: ["a"], pinnedModels: [] };
    const open = hold();
    const failing = models.reconfigure(before, { models: ["b", "broken"], pinnedModels: ["b"] });
    failing.catch(() => undefined);
    await new Promise(setImmediate);
    expect(spaces()).toEqual(["a 1"]);
    open();
    await expect(failing).rejects.toThrow("broken");
    expect([spaces(), disposed, models.pinned.size]).toEqual([["a 1"], ["b 2"], 0]);
  });

  it("takes what was loaded by hand, or unloaded, while it loaded the others", async () => {
    const { models, disposed, spaces, hold, ready } = registry(["a"]);
    await ready;
    const open = hold();
    const changing = models.reconfigure(
      { models: ["a"], pinnedModels: [] },
      { models: ["a", "b"], pinnedModels: [] },
    );
    await new Promise(setImmediate);
    models.unload("a");
    const byHand = models.load("b");
    open();
    await Promise.all([byHand, changing]);
    expect(spaces().map((space) => space.split(" ")[0])).toEqual(["a", "b"]);
    await models.close();
    expect(disposed).toHaveLength(2); // the first "a", and one of the two "b"
  });

  it("loads nothing any more once it is being closed", async () => {
    const { models, disposed, spaces, hold, ready } = registry(["a"]);
    await ready;
    const open = hold();
    const both = [
      models.load("b"),
      models.reconfigure({ models: [], pinnedModels: [] }, { models: ["c"], pinnedModels: [] }),
    ];
    await new Promise(setImmediate);
    const closed = models.close();
    open();
    for (const { status } of await Promise.allSettled(both)) expect(status).toBe("rejected");
    await closed;
    expect([spaces(), disposed.sort()]).toEqual([["a 1"], ["b 2", "c 3"]]);
    await expect(models.load("d")).rejects.toMatchObject({ code: "cancelled" });
  });
});
