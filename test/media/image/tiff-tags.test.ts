import { describe, expect, it } from "vitest";
import { readTiffTags, withOrientationInRange } from "../../../src/media/image/tiff-tags.js";
import { pictureSize } from "../../../src/media/picture-size.js";

/** A big-endian directory of entries of one value or, with `count`, of an offset. */
function directory(entries: { tag: number; type: number; count?: number; value: number }[]) {
  const bytes = Buffer.alloc(10 + 12 * entries.length);
  bytes.write("MM\0*", "latin1");
  bytes.writeUInt32BE(8, 4);
  bytes.writeUInt16BE(entries.length, 8);
  for (const [i, { tag, type, count = 1, value }] of entries.entries()) {
    const at = 10 + 12 * i;
    bytes.writeUInt16BE(tag, at);
    bytes.writeUInt16BE(type, at + 2);
    bytes.writeUInt32BE(count, at + 4);
    if (type === 3 && count === 1) bytes.writeUInt16BE(value, at + 8);
    else bytes.writeUInt32BE(value, at + 8);
  }
  return bytes;
}

describe("withOrientationInRange", () => {
  const orientation = { tag: 274, type: 3, value: 99 };

  it("sets an orientation that is none to 1, also where the directory is cut short behind it", () => {
    const whole = directory([orientation, { tag: 257, type: 4, value: 77 }]);
    for (const bytes of [whole, whole.subarray(0, whole.length - 6)])
      expect(readTiffTags(withOrientationInRange(bytes)).get(274)).toEqual([1]);
  });

  it("leaves a second one alone whose value lies outside the file", () => {
    const outside = { tag: 274, type: 3, count: 9, value: 4_000_000_000 };
    const mended = withOrientationInRange(directory([orientation, outside]));
    expect(readTiffTags(mended).get(274)).toEqual([1]);
  });
});

describe("readTiffTags", () => {
  it("leaves out an entry whose values lie outside the file, and reads those behind it", () => {
    const bytes = directory([
      { tag: 255, type: 3, count: 9, value: 4_000_000_000 },
      { tag: 256, type: 3, value: 331 },
      { tag: 257, type: 4, value: 77 },
    ]);
    expect([...readTiffTags(bytes)]).toEqual([
      [256, [331]],
      [257, [77]],
    ]);
    expect(pictureSize(bytes)).toEqual({ width: 331, height: 77 });
  });
});
