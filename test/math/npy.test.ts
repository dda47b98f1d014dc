import { describe, expect, it } from "vitest";
import { readNpy, writeNpy } from "../../src/math/npy.js";
import { seededRandom } from "../../src/math/random.js";
import { goldenBytes } from "../helpers/golden.js";

describe("readNpy", () => {
  it("reads a file that numpy wrote: 2 x 500 x 512 float32 of unit rows", () => {
    const { shape, data } = readNpy(goldenBytes("modality_gap_clip_features.npy"));
    expect(shape).toEqual([2, 500, 512]);
    // The file came from half precision: 3e-4 off
    expect(Math.hypot(...data.subarray(0, 512))).toBeCloseTo(1, 3);
  });

  it("reads the same from a Buffer that shares its memory", () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    const pooled = Buffer.concat([Buffer.alloc(7), writeNpy({ shape: [2, 3], data })]).subarray(7);
    expect(readNpy(pooled).data).toEqual(data);
  });

  it("gives back what was written, in both floating types", () => {
    for (const data of [
      Float32Array.of(1, -2.5, 3e-8, 4, 5, 6),
      Float64Array.of(1, Math.PI, -3, 4, 5, 6),
    ]) {
      const bytes = writeNpy({ shape: [2, 3], data });
      expect(readNpy(bytes)).toEqual({ shape: [2, 3], data });
      expect((bytes.length - data.byteLength) % 64).toBe(0);
    }
  });

  it("refuses a shape that does not fit the bytes before it allocates", () => {
    const bytes = writeNpy({ shape: [2, 3], data: new Float32Array(6) });
    const text = Buffer.from(bytes).toString("latin1");
    const hostile = (from: string, to: string) => Buffer.from(text.replace(from, to), "latin1");
    expect(() => readNpy(hostile("(2, 3)", "(9, 9)"), "a")).toThrow(
      /needs 324 bytes but 24 follow/,
    );
    expect(() => readNpy(hostile("(2, 3), }   ", "(99999999999)"), "a")).toThrow(/too large/);
    expect(() => readNpy(hostile("False", "True "), "a")).toThrow(/Fortran/);
    expect(() => readNpy(hostile("<f4", "|O8"), "a")).toThrow(/data type is \|O8/);
  });

  it("answers invalid_input for every cut and for noise", () => {
    const bytes = writeNpy({ shape: [2, 3], data: new Float32Array(6) });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readNpy(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ code: "invalid_input" }),
      );
    }
    const random = seededRandom(1);
    for (let run = 0; run < 500; run++) {
      const noisy = bytes.slice();
      for (let k = 0; k < 3; k++) noisy[random.integer(128)] = random.integer(256);
      try {
        readNpy(noisy);
      } catch (error) {
        expect(error).toMatchObject({ code: "invalid_input" });
      }
    }
  });
});
