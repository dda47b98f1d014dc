import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readMetadataFile } from "../../src/commands/metadata-file.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-metadata-"));
const at = (name: string) => join(folder, name);
const read = (name: string, ...lines: string[]) => {
  writeFileSync(at(name), lines.join("\n"));
  return readMetadataFile(at(name));
};

describe("readMetadataFile", () => {
  it("reads columns as numbers where every cell is a plain decimal, and others as texts", async () => {
    const table = await read(
      "a.csv",
      "file,price,code,year,note,isbn",
      'x/cat.jpg,9.50,007,2021,"a, b",9780306406157000',
      "dog.jpg,-12,12,,,1",
    );
    expect(table.of(at("x/cat.jpg"))).toEqual({
      price: 9.5,
      code: "007",
      year: 2021,
      note: "a, b",
      isbn: "9780306406157000",
    });
    expect(table.of(at("dog.jpg"))).toEqual({ price: -12, code: "12", isbn: "1" });
    expect(table.notes()).toEqual([]);
  });

  it("takes lines of JSON as they are", async () => {
    const table = await read("a.jsonl", '{"file": "cat.jpg", "sizes": [1, 2]}', "");
    expect(table.of(at("cat.jpg"))).toEqual({ sizes: [1, 2] });
  });

  it("says which rows and files did not go together", async () => {
    const rows = ["a", "b", "c", "d", "e"].map((name) => `${name}.jpg,1`);
    const table = await read("b.csv", "file,n", ...rows);
    expect(table.of(at("a.jpg"))).toEqual({ n: 1 });
    expect(table.of(at("other.jpg"))).toBeUndefined();
    expect(table.notes()).toEqual([
      "4 rows of b.csv not used: b.jpg, c.jpg, d.jpg, and 1 more",
      "1 file without a row in b.csv",
    ]);
  });

  it.each([
    ["c.csv", ["name,n", "a,1"], /no column "file"; it has name, n/],
    ["d.csv", ["file,n", "a,1", "./a,2"], /names "\.\/a" twice/],
    ["e.csv", ["file,", "a,1"], /a column without a name/],
    ["f.csv", ["file,n"], /has no rows/],
    ["g.jsonl", ['{"file": "a"}', "[1]"], /line 2: expected a JSON object/],
    ["h.jsonl", ['{"n": 1}'], /expected a path in "file" of every row/],
  ])("refuses %s: %j", async (name, lines, message) => {
    await expect(read(name, ...lines)).rejects.toThrow(message);
  });
});
