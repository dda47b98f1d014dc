import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readMedia } from "../../src/media/read-media.js";

const read = (text: string) =>
  readMedia(
    text,
    "image",
    () => Promise.reject(new Error("no URL was sent")),
    new AbortController().signal,
  );

describe("readMedia", () => {
  it("gives the bytes of base64 whatever white space is in it", async () => {
    const spaces = fc.constantFrom("", "", " ", "\n", "\r\n", "\t ");
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(bytes, fc.array(spaces, { minLength: 100 }), async (file, between) => {
        const text = [...Buffer.from(file).toString("base64")].map((c, i) => c + between[i % 100]);
        expect(Buffer.from(await read(text.join("")))).toEqual(Buffer.from(file));
      }),
    );
  });

  it.each([
    ["no white space", / /g, ""],
    ["lines of 76 characters", /.{76}/g, "$&\r\n"],
    ["a space behind every character", /./g, "$& "],
  ])("reads a megabyte with %s", async (_, pattern, replacement) => {
    const file = Buffer.from(Uint8Array.from({ length: 2 ** 20 + 1 }, (_, i) => (i * 7919) >> 5));
    const text = file.toString("base64").replace(pattern, replacement);
    expect(Buffer.compare(Buffer.from(await read(text)), file)).toBe(0);
  });

  it.each([
    ["a character of no base64", "AAAA AA*A"],
    ["another alphabet among spaces", "AAAA ĀĀĀĀ"],
    ["a space of another alphabet", "AAAA\u00a0AAAA"],
    ["something behind the padding", "AA== AAAA"],
    ["a rest of one character", "AAAA A"],
    ["a character of no base64 without spaces", "AAAAAA*A"],
    ["a character whose lower byte is of base64", "AAA\u0141"],
    ["something behind the padding without spaces", "AA==AAAA"],
    ["padding within a group", "AA=AAAAA"],
    ["too much padding", "AA==="],
    ["a rest of one character without spaces", "AAAAA"],
  ])("refuses %s", async (_, text) => {
    await expect(read(text)).rejects.toMatchObject({ code: "invalid_input", param: "image" });
    const long = `${"A".repeat(2 ** 18)}${text}`; // in the next piece
    await expect(read(long)).rejects.toMatchObject({ code: "invalid_input", param: "image" });
  });
});
