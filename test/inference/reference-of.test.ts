import { describe, expect, it } from "vitest";
import type { LoadedPack } from "../../src/encoders/load.js";
import { AppError } from "../../src/errors.js";
import { referenceOf } from "../../src/inference/reference-of.js";
import type { ReferenceBank } from "../../src/zero-shot/reference-bank.js";

const pack = { space: "colours@1" } as LoadedPack;
const never = new Promise<never>(() => {});
const referenceBank = {
  neutral: () => never,
  background: () => never,
  backgroundProgress: () => ({ embedded: 96, total: 256 }),
} as unknown as ReferenceBank;
const calibrations = { use: () => never };

const waitWith = (signal: AbortSignal) =>
  referenceOf({ referenceBank, calibrations }, { falseAlarmRate: 0.05 }, pack, {
    modality: "image",
    templates: [],
    signal,
  });

describe("a request that waits for the background", () => {
  it("says how far it is when its time is up, and when to ask again", async () => {
    const clock = new AbortController();
    const waiting = waitWith(clock.signal);
    clock.abort(new AppError("timeout", "The request took longer than 1 ms"));
    await expect(waiting).rejects.toMatchObject({
      code: "unavailable",
      param: "reject",
      retryAfterSeconds: 5,
      message: expect.stringContaining("96 of 256"),
    });
  });

  it("ends as it was cancelled", async () => {
    const reason = new AppError("cancelled", "The client closed the connection");
    await expect(waitWith(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
