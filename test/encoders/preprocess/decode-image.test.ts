import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../src/encoders/preprocess/decode-image.js";
import { seededRandom } from "../../../src/math/random.js";
import { fixture, fixtureLabels } from "../../helpers/fixtures.js";

const limits = { maxPixels: 1e8 };

describe("decodeImage", () => {
  it.each(Object.keys(fixtureLabels.images))("reads %s as RGB", async (file) => {
    const { width, height, rgb } = await decodeImage(fixture(`images/${file}`), limits);
    expect(Math.max(width, height)).toBeLessThanOrEqual(480);
    expect(rgb.length).toBe(3 * width * height);
  });

  it("lays transparency on white instead of showing what is hidden under it", async () => {
    const raw = { width: 2, height: 1, channels: 4 } as const;
    const png = await sharp(Uint8Array.of(200, 0, 0, 0, 200, 0, 0, 255), { raw })
      .png()
      .toBuffer();
    const { rgb } = await decodeImage(png, limits);
    expect([...rgb]).toEqual([255, 255, 255, 200, 0, 0]);
  });

  it("takes the first frame of an animation", async () => {
    const frame = (value: number) =>
      sharp({ create: { width: 4, height: 4, channels: 3, background: { r: value, g: value, b: value } } })
        .png()
        .toBuffer();
    const gif = await sharp([await frame(255), await frame(0)], { join: { animated: true } })
      .gif()
      .toBuffer();
    const { height, rgb } = await decodeImage(gif, limits);
    expect(height).toBe(4);
    expect(rgb[0]).toBe(255);
  });

  it.each([
    ["SVG", '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ["PDF", "%PDF-1.7"],
    ["HTML", "<html>"],
    ["nothing", ""],
  ])("refuses %s without handing it to a decoder", async (_, text) => {
    await expect(decodeImage(new TextEncoder().encode(text), limits)).rejects.toMatchObject({
      code: "unsupported_media",
    });
  });

  it("refuses more pixels than allowed, told from the header", async () => {
    await expect(decodeImage(fixture("images/cat.jpg"), { maxPixels: 1000 })).rejects.toMatchObject({
      code: "too_large",
    });
  });

  it("answers truncations and noise with a picture or an error of ours, never with a crash", async () => {
    const random = seededRandom(2);
    const ours = new Set(["undecodable_media", "unsupported_media", "too_large"]);
    const tryIt = async (bytes: Uint8Array) => {
      try {
        const { width, height, rgb } = await decodeImage(bytes, limits);
        expect(rgb.length).toBe(3 * width * height);
      } catch (error) {
        expect(ours.has((error as { code: string }).code), String(error)).toBe(true);
      }
    };
    for (const file of Object.keys(fixtureLabels.images)) {
      const whole = fixture(`images/${file}`);
      for (let i = 0; i < 4; i++) await tryIt(whole.subarray(0, random.integer(whole.length)));
      for (let i = 0; i < 4; i++) {
        const damaged = Uint8Array.from(whole);
        for (let j = 0; j < 30; j++) damaged[random.integer(damaged.length)] = random.integer(256);
        await tryIt(damaged);
      }
    }
  }, 60_000);
});
