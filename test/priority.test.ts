import { describe, expect, it } from "vitest";
import { asInteractive, currentPriority, giveWayToInteractive, inBulk } from "../src/priority.js";

const turn = () => new Promise((resolve) => setTimeout(resolve));

describe("priority", () => {
  it("is interactive unless something else is said, and goes with the work", async () => {
    const after = async () => {
      await turn();
      return currentPriority();
    };
    expect(await after()).toBe("interactive");
    expect(await inBulk(after)).toBe("bulk");
  });
});

describe("giveWayToInteractive", () => {
  it("waits for the last request under way, and for nothing when there is none", async () => {
    const log: string[] = [];
    await giveWayToInteractive();
    const ends: (() => void)[] = [];
    const requests = [1, 2].map(() =>
      asInteractive(() => new Promise<void>((resolve) => ends.push(resolve))),
    );
    const bulk = giveWayToInteractive().then(() => log.push("bulk"));
    ends[0]();
    await turn();
    expect(log).toEqual([]);
    ends[1]();
    await bulk;
    await Promise.all(requests);
  });

  it("goes on after a while however many requests there are", async () => {
    let end = () => {};
    const request = asInteractive(() => new Promise<void>((resolve) => (end = resolve)));
    await expect(giveWayToInteractive()).resolves.toBeUndefined();
    end();
    await request;
  });
});
