import { expect, it } from "vitest";
import { closeAll } from "../src/close-all.js";

it("takes every step in order, whatever fails, and throws what failed", async () => {
  const taken: number[] = [];
  const step = (n: number, error?: Error) => async () => {
    taken.push(n);
    if (error !== undefined) throw error;
  };
  await closeAll(step(1), step(2));
  const one = new Error("one");
  await expect(closeAll(step(3, one), step(4))).rejects.toBe(one);
  const two = new Error("two");
  await expect(closeAll(step(5, one), step(6, two), step(7))).rejects.toMatchObject({
    errors: [one, two],
  });
  expect(taken).toEqual([1, 2, 3, 4, 5, 6, 7]);
});
