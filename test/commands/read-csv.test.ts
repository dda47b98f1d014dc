import { describe, expect, it } from "vitest";
import { parseCsv } from "../../src/commands/read-csv.js";

const parse = (text: string) => parseCsv(text, "x.csv");

describe("parseCsv", () => {
  it("reads rows by the names of the first line", () => {
    expect(parse("file,label\na.jpg,cat\nb.jpg,\n")).toEqual([
      { file: "a.jpg", label: "cat" },
      { file: "b.jpg", label: "" },
    ]);
  });

  it("takes quoted commas, quotes and line ends, Windows' line ends and a byte order mark", () => {
    expect(parse('\ufefffile,label\r\n"a, b.jpg","a ""cat""\nasleep"\r\n')).toEqual([
      { file: "a, b.jpg", label: 'a "cat"\nasleep' },
    ]);
  });

  it("skips empty lines, and has no rows in an empty file", () => {
    expect(parse("file,label\n\na,b\n\n")).toEqual([{ file: "a", label: "b" }]);
    expect(parse("")).toEqual([]);
  });

  it.each([
    ["a,b\n1,2\n1\n", /line 3: expected 2 cells but found 1/],
    ['a,b\n"1,2\n', /quote/],
    ['a,b\nx"y,2\n', /line 2: a quote/],
  ])("names the line that is wrong (%#)", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});
