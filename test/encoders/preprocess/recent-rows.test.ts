import { expect, it } from "vitest";
import { RecentRows } from "../../../src/encoders/preprocess/recent-rows.js";

it("remembers the texts that came last, as many as a few requests have", () => {
  const rows = new RecentRows();
  const text = (i: number) => `${i}`.padEnd(1000, "x");
  for (let i = 0; i < 2000; i++) rows.add(text(i), [i, i + 1]);
  expect(rows.get(text(1999))).toEqual([1999, 2000]);
  expect(rows.get(text(1100))).toEqual([1100, 1101]);
  expect(rows.get(text(0))).toBeUndefined();
  rows.add("y".repeat(2 ** 21), [1]); // larger than all the room
  expect(rows.get("y".repeat(2 ** 21))).toBeUndefined();
  rows.add("small", [7]);
  expect(rows.get("small")).toEqual([7]);
});
