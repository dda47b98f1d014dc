import { describe, expect, it } from "vitest";
import { Activity } from "../src/activity.js";

describe("Activity.settled", () => {
  it("waits for what began before, however it ends, and for nothing later", async () => {
    const activity = new Activity();
    const ends: (() => void)[] = [];
    const work = () => activity.during(new Promise<void>((resolve) => ends.push(resolve)));
    const before = work();
    const failing = activity.during(Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    let isSettled = false;
    const idle = activity.whenIdle().then(() => {
      isSettled = true;
    });
    const later = work();
    await new Promise(setImmediate);
    expect(isSettled).toBe(false);
    ends[0]();
    await idle;
    ends[1]();
    await Promise.all([before, later]);
  });
});
