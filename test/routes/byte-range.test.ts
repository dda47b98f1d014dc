import { describe, expect, it } from "vitest";
import { isHeld, rangeOf } from "../../src/routes/byte-range.js";

const file = { size: 1000, etag: '"abc"' };
const range = (text: string, ifRange?: string) => rangeOf({ range: text, ifRange }, file);

describe("rangeOf", () => {
  // The examples of RFC 9110, section 14.1.2, for a file of 1,000 bytes.
  it.each([
    ["bytes=0-499", { start: 0, end: 499 }],
    ["bytes=500-999", { start: 500, end: 999 }],
    ["bytes=500-", { start: 500, end: 999 }],
    ["bytes=-500", { start: 500, end: 999 }],
    ["bytes=0-0", { start: 0, end: 0 }],
    ["bytes=-1", { start: 999, end: 999 }],
    ["bytes=-5000", { start: 0, end: 999 }],
    ["bytes=900-5000", { start: 900, end: 999 }],
    ["Bytes = 1 - 2", { start: 1, end: 2 }],
  ])("takes %s", (text, expected) => {
    expect(range(text)).toEqual(expected);
  });

  it.each(["bytes=5-4", "bytes=0-1,5-6", "bytes=-", "bytes=a-b", "items=0-1", "bytes 0-1", ""])(
    "answers %o with all of the file",
    (text) => {
      expect(range(text)).toBeUndefined();
    },
  );

  it.each(["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=99999999999999999999-"])(
    "refuses %s, which begins behind the end",
    (text) => {
      expect(() => range(text)).toThrow(expect.objectContaining({ code: "range_not_satisfiable" }));
    },
  );

  it("counts only while the file is the one of If-Range", () => {
    expect(range("bytes=1-2", '"abc"')).toEqual({ start: 1, end: 2 });
    expect(range("bytes=1-2", '"abd"')).toBeUndefined();
    expect(range("bytes=1-2", 'W/"abc"')).toBeUndefined();
    expect(range("bytes=1-2", "Fri, 27 Nov 2026 16:00:00 GMT")).toBeUndefined();
    expect(range("bytes=2000-", '"abd"')).toBeUndefined();
  });
});

describe("isHeld", () => {
  it.each([
    ['"abc"', true],
    ['W/"abc"', true],
    ['"x", "abc"', true],
    ["*", true],
    ['"abd"', false],
    [undefined, false],
  ])("tells of If-None-Match %s", (header, expected) => {
    expect(isHeld(header, '"abc"')).toBe(expected);
  });
});
