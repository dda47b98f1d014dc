import { crc32 } from "node:zlib";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../src/media/image/decode-image.js";
import { fixture } from "../../helpers/fixtures.js";

const limits = { maxPixels: 1e8 };
const decode = (bytes: Uint8Array) => decodeImage(bytes, limits);
const jpeg = Buffer.from(fixture("images/cat.jpg"));

/** Two pixels side by side, red and blue. */
const pair = sharp(Uint8Array.of(255, 0, 0, 0, 0, 255), {
  raw: { width: 2, height: 1, channels: 3 },
});

/** EXIF of an orientation alone, as a TIFF of one entry. */
function exif(orientation: number): Buffer {
  const block = Buffer.from(
    "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0",
    "latin1",
  );
  block.writeUInt16BE(orientation, 18);
  return block;
}

function pngChunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(content.length, 0);
  frame.set(body, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}

describe("decodeImage, files that other readers take", () => {
  it.each([
    ["EXIF", pngChunk("eXIf", exif(6))],
    [
      "XMP",
      pngChunk(
        "iTXt",
        Buffer.from('XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>', "latin1"),
      ),
    ],
  ])("turns a PNG upright by %s behind its pixels, where ExifTool puts it", async (_, chunk) => {
    const png = await pair.clone().png().toBuffer();
    const end = png.length - 12;
    const late = Buffer.concat([png.subarray(0, end), chunk, png.subarray(end)]);
    const { width, height, rgb } = await decode(late);
    // 6: the picture is to be turned right by 90 degrees; its left end comes up.
    expect([width, height, ...rgb]).toEqual([1, 2, 255, 0, 0, 0, 0, 255]);
  });

  it.each([0, 9])("takes a TIFF of the orientation %i as it is, as Pillow does", async (value) => {
    const tiff = await pair
      .clone()
      .withMetadata({ orientation: 3 })
      .tiff({ compression: "none" })
      .toBuffer();
    const isBig = tiff.toString("latin1", 0, 2) === "MM";
    const start = isBig ? tiff.readUInt32BE(4) : tiff.readUInt32LE(4);
    const uint16 = (at: number) => (isBig ? tiff.readUInt16BE(at) : tiff.readUInt16LE(at));
    let at = start + 2;
    while (uint16(at) !== 274) at += 12;
    if (isBig) tiff.writeUInt16BE(value, at + 8);
    else tiff.writeUInt16LE(value, at + 8);
    const { width, height, rgb } = await decode(tiff);
    expect([width, height, ...rgb]).toEqual([2, 1, 255, 0, 0, 0, 0, 255]);
  });

  it("reads a JPEG without its last marker, as cameras write it, but not without pixels", async () => {
    const whole = await decode(jpeg);
    const end = jpeg.lastIndexOf(Buffer.from([0xff, 0xd9]));
    const { rgb, warnings } = await decode(jpeg.subarray(0, end));
    expect(Buffer.from(rgb).equals(whole.rgb)).toBe(true);
    expect(warnings).toBeUndefined();
    await expect(decode(jpeg.subarray(0, end - 1000))).rejects.toMatchObject({
      code: "undecodable_media",
    });
  });
});

describe("decodeImage, damage", () => {
  it("decodes a JPEG with pixels missing inside, and says so", async () => {
    const cut = Buffer.concat([jpeg.subarray(0, jpeg.length / 2), Buffer.from([0xff, 0xd9])]);
    const { width, height, warnings } = await decode(cut);
    const whole = await decode(jpeg);
    expect([width, height]).toEqual([whole.width, whole.height]);
    expect(warnings).toEqual([expect.stringContaining("found damage in the picture")]);
    expect(whole.warnings).toBeUndefined();
  });
});
