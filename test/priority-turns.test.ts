import { describe, expect, it } from "vitest";
import { PriorityTurns } from "../src/priority-turns.js";

function takeAll(turns: PriorityTurns<string>): string[] {
  const taken: string[] = [];
  for (let next = turns.take(); next !== undefined; next = turns.take()) taken.push(next);
  return taken;
}

describe("PriorityTurns", () => {
  it("takes interactive entries first, whenever they came", () => {
    const turns = new PriorityTurns<string>();
    turns.add("a", "bulk", "bulk");
    turns.add("b", "now", "interactive");
    expect(turns.first).toBe("now");
    expect(takeAll(turns)).toEqual(["now", "bulk"]);
  });

  it("takes one of bulk after three that passed it, so that bulk ends too", () => {
    const turns = new PriorityTurns<string>();
    for (let i = 0; i < 8; i++) turns.add("people", `i${i}`, "interactive");
    for (let i = 0; i < 3; i++) turns.add("add", `b${i}`, "bulk");
    expect(takeAll(turns).join(" ")).toBe("i0 i1 i2 b0 i3 i4 i5 b1 i6 i7 b2");
  });

  it("counts only what passed: an interactive entry that nothing waited behind has passed none", () => {
    const turns = new PriorityTurns<string>();
    for (let i = 0; i < 9; i++) turns.add("people", `i${i}`, "interactive");
    for (let i = 0; i < 6; i++) turns.take();
    turns.add("add", "b", "bulk");
    expect(takeAll(turns)).toEqual(["i6", "i7", "i8", "b"]);
  });

  it("lets callers of one priority take turns, and forgets what is removed", () => {
    const turns = new PriorityTurns<string>();
    for (const entry of ["a1", "a2", "b1"]) turns.add(entry[0], entry, "bulk");
    turns.remove("a", (entry) => entry === "a2");
    expect(takeAll(turns)).toEqual(["a1", "b1"]);
  });
});
