import { describe, expect, it } from "vitest";
import { sniffFormat } from "../../src/media/sniff.js";

const boxed = (brands: string) => Buffer.from(`\0\0\0\x20ftyp${brands}`, "latin1");

describe("sniffFormat", () => {
  it("tells the kinds of file in MP4's container apart by their brands", () => {
    expect(sniffFormat(boxed("M4A \0\0\0\0M4A mp42isom"))).toBe("sound");
    expect(sniffFormat(boxed("avif\0\0\0\0avifmif1miaf"))).toBe("avif");
    expect(sniffFormat(boxed("heic\0\0\0\0mif1heic"))).toBe("heic");
    expect(sniffFormat(boxed("mif1\0\0\0\0mif1heicmiaf"))).toBe("heic");
  });
});
