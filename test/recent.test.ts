import { describe, expect, it } from "vitest";
import { Recent } from "../src/recent.js";

describe("Recent", () => {
  it("makes a result once for all who ask meanwhile", async () => {
    const recent = new Recent<number>(2);
    let made = 0;
    const make = async () => ++made;
    expect(await Promise.all([recent.get("a", make), recent.get("a", make)])).toEqual([1, 1]);
    expect(await recent.get("a", make)).toBe(1);
  });

  it("forgets what failed, and not what took its place", async () => {
    const recent = new Recent<number>(2);
    const failing = recent.get("a", () => Promise.reject(new Error("no")));
    recent.forget(() => true);
    const kept = recent.get("a", async () => 1);
    await expect(failing).rejects.toThrow("no");
    expect(await recent.get("a", async () => 2)).toBe(await kept);
    await expect(recent.get("b", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await recent.get("b", async () => 3)).toBe(3);
  });

  it("lets the least lately used go", async () => {
    const recent = new Recent<number>(2);
    await recent.get("a", async () => 1);
    await recent.get("b", async () => 2);
    await recent.get("a", async () => 0);
    await recent.get("c", async () => 3);
    expect(await recent.get("a", async () => 0)).toBe(1);
    expect(await recent.get("b", async () => 4)).toBe(4);
  });

  it("makes again what is too old, and what it was told to forget", async () => {
    const old = new Recent<number>(2, { maxAgeMs: -1 });
    await old.get("a", async () => 1);
    expect(await old.get("a", async () => 2)).toBe(2);
    const recent = new Recent<number>(2);
    await recent.get("a/1", async () => 1);
    await recent.get("b/1", async () => 1);
    recent.forget((key) => key.startsWith("a/"));
    expect(await recent.get("a/1", async () => 2)).toBe(2);
    expect(await recent.get("b/1", async () => 2)).toBe(1);
  });
});
