import { describe, expect, it } from "vitest";
import { Failures } from "../../src/commands/failures.js";

describe("Failures", () => {
  it("names three of many with one reason and counts the others; others keep their lines", () => {
    const failures = new Failures();
    for (let i = 0; i < 222; i++) failures.add(`${i}.jpg`, "another space", "invalid_input");
    failures.add("x.jpg", "the file is empty", "invalid_input");
    expect(failures.lines()).toEqual([
      "0.jpg: another space",
      "1.jpg: another space",
      "2.jpg: another space",
      "219 more: another space",
      "x.jpg: the file is empty",
    ]);
    expect([failures.count, failures.code]).toEqual([223, "invalid_input"]);
    failures.add("y.jpg", "gone");
    expect(failures.code).toBeUndefined();
  });

  it("holds and tells a bounded number of reasons", () => {
    const failures = new Failures();
    for (let i = 0; i < 10_000; i++) failures.add(`${i}`, `reason ${i}`);
    expect(failures.lines()).toHaveLength(201);
    expect(failures.lines().at(-1)).toBe("9800 more, for other reasons");
  });
});
