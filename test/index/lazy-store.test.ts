import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/errors.js";
import { openEmbeddedStore } from "../../src/index/embedded/open-embedded-store.js";
import { lazyStore } from "../../src/index/lazy-store.js";

describe("lazyStore", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "crossmodal-lazy-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("leaves the data folder alone until it is used, even when it is closed", async () => {
    const dataDir = join(folder, "data");
    const store = lazyStore(() => openEmbeddedStore({ dataDir }));
    expect(store.isOpen).toBe(false);
    await store.close();
    expect(existsSync(dataDir)).toBe(false);
    await expect(store.listCollections()).rejects.toMatchObject({ code: "cancelled" });
  });

  it("opens once for many first callers", async () => {
    let opened = 0;
    const store = lazyStore(() => {
      opened++;
      return openEmbeddedStore({ dataDir: folder });
    });
    await Promise.all([store.listCollections(), store.listCollections(), store.open()]);
    expect(opened).toBe(1);
    expect(store.isOpen).toBe(true);
    await store.close();
  });

  it("tries again after it could not be opened", async () => {
    let free = false;
    const store = lazyStore(async () => {
      if (!free) throw new AppError("storage_locked", "in use");
      return openEmbeddedStore({ dataDir: folder });
    });
    await expect(store.listCollections()).rejects.toMatchObject({ code: "storage_locked" });
    free = true;
    expect(await store.listCollections()).toEqual([]);
    await store.close();
  });
});
