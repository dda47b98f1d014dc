import { describe, expect, it } from "vitest";
import { Activity } from "../../src/activity.js";
import type { LoadedPack } from "../../src/encoders/load.js";
import { ModelRegistry } from "../../src/encoders/model-registry.js";
import { createLog } from "../../src/log.js";
import { fakePack } from "../helpers/fake-packs.js";

function registry(ids: string[]) {
  const disposed: string[] = [];
  let version = 0;
  const load = async (id: string): Promise<LoadedPack> => {
    if (id === "broken") throw new Error("broken");
    const name = `${id} ${++version}`;
    await new Promise(setImmediate);
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
});
