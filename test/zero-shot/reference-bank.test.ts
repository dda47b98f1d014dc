import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Activity } from "../../src/activity.js";
import type { DecodedImage, Encoder } from "../../src/encoders/encoder.js";
import type { LoadedPack } from "../../src/encoders/load.js";
import { createLog } from "../../src/log.js";
import { backgroundPictures } from "../../src/zero-shot/background-pictures.js";
import { ReferenceBank } from "../../src/zero-shot/reference-bank.js";

const total = 40;
const newFolder = () => mkdtempSync(join(tmpdir(), "crossmodal-bank-"));
const log = createLog("silent");
const bankIn = (folder: string, activity = new Activity()) =>
  new ReferenceBank({ folder, log, activity }, total);
const meanColour = ({ rgb }: DecodedImage) =>
  Float32Array.from([0, 1, 2], (c) => {
    let sum = 0;
    for (let at = c; at < rgb.length; at += 3) sum += rgb[at];
    return sum / (rgb.length / 3);
  });

/** A pack whose embedding of a picture is its mean colour. */
function colourPack(beforeBatch: (count: number) => Promise<void> | void = () => {}) {
  let count = 0;
  const image = {
    encode: async (pictures: DecodedImage[]) => {
      await beforeBatch(count);
      count += pictures.length;
      return pictures.map(meanColour);
    },
  } as unknown as Encoder<"image">;
  return {
    pack: { space: "colours@1", encoders: { image } } as unknown as LoadedPack,
    encoded: () => count,
  };
}

describe("ReferenceBank", () => {
  it("embeds the same background as the generator makes, and tells how far it is", async () => {
    const folder = newFolder();
    const bank = bankIn(folder);
    const seen: number[] = [];
    const { pack } = colourPack(() => {
      seen.push(bank.backgroundProgress("colours@1", "image").embedded);
    });
    const { values, dimensions } = await bank.background(pack, "image");
    expect(dimensions).toBe(3);
    const expected = [...backgroundPictures(total)].flatMap((one) => [...meanColour(one)]);
    expect([...values]).toEqual(expected);
    expect(seen).toEqual([0, 16, 32]);
    const done = { embedded: total, total };
    expect(bank.backgroundProgress("colours@1", "image")).toEqual(done);
    expect(bank.backgroundProgress("colours@2", "image").embedded).toBe(0);
    // Another process, by the file alone.
    const second = colourPack();
    const again = bankIn(folder);
    expect(again.backgroundProgress("colours@1", "image")).toEqual(done);
    expect((await again.background(second.pack, "image")).values).toEqual(values);
    expect(second.encoded()).toBe(0);
  });

  it("keeps nothing of a background that failed, and begins again", async () => {
    const folder = newFolder();
    const bank = bankIn(folder);
    const failing = colourPack((count) => {
      if (count === 16) throw new Error("the model is gone");
    });
    await expect(bank.background(failing.pack, "image")).rejects.toThrow("the model is gone");
    expect(bank.backgroundProgress("colours@1", "image").embedded).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
    const { pack, encoded } = colourPack();
    await bank.background(pack, "image");
    expect(encoded()).toBe(total);
  });

  it("keeps its model from being freed until it is done, whoever still waits", async () => {
    const activity = new Activity();
    const { pack, encoded } = colourPack();
    void bankIn(newFolder(), activity).background(pack, "image");
    await activity.whenIdle();
    expect(encoded()).toBe(total);
  });
});
