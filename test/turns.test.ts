import { describe, expect, it } from "vitest";
import { Turns } from "../src/turns.js";

const takeAll = (turns: Turns<string>) => Array.from({ length: turns.size }, () => turns.take());

describe("Turns", () => {
  it("takes one entry of each caller in turn, each caller's in their order", () => {
    const turns = new Turns<string>();
    for (const entry of ["a1", "a2", "a3", "b1", "c1", "c2"]) turns.add(entry[0], entry);
    expect(takeAll(turns)).toEqual(["a1", "b1", "c1", "a2", "c2", "a3"]);
    expect(turns.take()).toBe(undefined);
  });

  it("lets a late caller wait for one turn of each other, however much they have queued", () => {
    const turns = new Turns<string>();
    for (let i = 0; i < 5; i++) turns.add("a", `a${i}`);
    turns.take();
    turns.add("b", "b0");
    expect([turns.take(), turns.take()]).toEqual(["a1", "b0"]);
  });

  it("forgets entries that are removed", () => {
    const turns = new Turns<string>();
    for (const entry of ["a1", "a2", "b1"]) turns.add(entry[0], entry);
    turns.remove("a", (entry) => entry === "a1");
    turns.remove("c", () => true);
    expect([turns.size, turns.first]).toEqual([2, "a2"]);
    expect(takeAll(turns)).toEqual(["a2", "b1"]);
  });
});
