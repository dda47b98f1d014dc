import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { thumbnail } from "../../../src/encoders/preprocess/thumbnail.js";
import { startDecodingPool } from "../../../src/media/decoding-pool.js";
import { fixture } from "../../helpers/fixtures.js";

const media = startDecodingPool({ processes: 1 });
afterAll(() => media.close());

describe("thumbnail", () => {
  it("fits a picture into 192 pixels, keeping its shape and colours", async () => {
    const rgb = new Uint8Array(600 * 300 * 3);
    for (let i = 0; i < rgb.length; i += 3) rgb.set([200, 30, 60], i);
    const { mediaType, bytes } = await thumbnail({ width: 600, height: 300, rgb });
    expect(mediaType).toBe("image/webp");
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([192, 96]);
    for (const [channel, value] of [200, 30, 60].entries())
      expect(Math.abs(data[channel] - value)).toBeLessThan(8);
  });

  it("leaves a small picture its size", async () => {
    const { bytes } = await thumbnail({ width: 5, height: 3, rgb: new Uint8Array(45) });
    expect(await sharp(bytes).metadata()).toMatchObject({ format: "webp", width: 5, height: 3 });
  });

  it("takes what the pool decodes", async () => {
    const image = await media.decodeImage(fixture("images/cat.jpg"), { maxPixels: 1e8 });
    const { bytes } = await media.thumbnail(image);
    expect(Math.max((await sharp(bytes).metadata()).width, 0)).toBeLessThanOrEqual(192);
    expect(bytes.length).toBeLessThan(12_000);
  });
});
