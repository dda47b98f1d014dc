import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EvaluationReport } from "../../src/reports/evaluation-page.js";
import { runMain } from "../helpers/run-main.js";

let folder: string;
const fixtures = new URL("../../fixtures/images/", import.meta.url).pathname;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "crossmodal-evaluate-"));
  const put = (file: string, ...path: string[]) => {
    const to = join(folder, ...path);
    mkdirSync(join(to, ".."), { recursive: true });
    copyFileSync(join(fixtures, file), to);
  };
  put("cat.jpg", "set", "cat", "one.jpg");
  put("coffee.webp", "set", "cup of coffee", "one.webp");
  put("rocket.avif", "set", "rocket", "deep", "one.avif");
  put("bricks.jpg", "other", "bricks.jpg");
  writeFileSync(join(folder, "set", "cat", "notes.txt"), "nobody's picture");
  const rows = [
    "file,label,group,split",
    `${fixtures}cat.jpg,cat,first,test`,
    `${fixtures}rocket.avif,rocket,first,test`,
    `${fixtures}coffee.webp,cat,second,train`,
  ];
  writeFileSync(join(folder, "set.csv"), rows.join("\n"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) =>
  runMain("evaluate", ...args, "--models", "starter-clip", "--data-dir", join(folder, "data"));
const reportOf = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args, "--json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as EvaluationReport;
};

describe("crossmodal evaluate", () => {
  it("reads a folder for each label, and writes the report and every score", async () => {
    const [page, csv] = [join(folder, "report.html"), join(folder, "scores.csv")];
    const args = [join(folder, "set"), "--unknown", join(folder, "other"), "--reject"];
    const report = await reportOf(
      ...args,
      "--out",
      page,
      "--scores",
      csv,
      "--against-model",
      "starter-clip",
    );
    expect(report.labels).toEqual(["cat", "cup of coffee", "rocket"]);
    expect(report.items).toEqual({ known: 3, unknown: 1, groups: 4 });
    expect(report.accuracy.value).toBe(1);
    expect(report.known_unknown).toMatchObject({ auroc: { value: 1 } });
    expect(report.known_unknown?.false_alarms).not.toBeNull();
    expect(report.comparison).toMatchObject({ with: "starter-clip", p_value: 1 });
    const html = readFileSync(page, "utf8");
    expect(html).toContain("Confusions");
    expect(html).toContain("100.0 %");
    const lines = readFileSync(csv, "utf8").trimEnd().split("\n");
    expect(lines[0]).toBe("id,label,group,known,familiarity,cat,cup of coffee,rocket");
    expect(lines).toHaveLength(5);
  });

  it("reads a CSV with groups and splits, and takes other labels for unknown", async () => {
    const csv = join(folder, "set.csv");
    const report = await reportOf(csv, "--split", "test", "--labels", "cat,dog");
    expect(report.items).toEqual({ known: 1, unknown: 1, groups: 1 });
  });

  it("reads items of a collection by a field, with groups, as it reads the files", async () => {
    const add = ["add", "photos", join(folder, "set"), "--recursive", "--sidecar", "--create"];
    for (const [file, label] of [
      ["cat/one.jpg", "cat"],
      ["cup of coffee/one.webp", "cup of coffee"],
      ["rocket/deep/one.avif", "rocket"],
    ]) {
      const metadata = { label, film: label === "cat" ? "a" : "b" };
      writeFileSync(join(folder, "set", `${file}.json`), JSON.stringify(metadata));
    }
    const where = ["--models", "starter-clip", "--data-dir", join(folder, "data")];
    expect((await runMain(...add, "--model", "starter-clip", ...where)).code).toBe(0);
    const of = ["--collection", "photos", "--by", "label"];
    const report = await reportOf(...of, "--group-by", "film");
    expect(report.items).toEqual({ known: 3, unknown: 0, groups: 2 });
    const files = await reportOf(join(folder, "set"));
    expect(report.labels).toEqual(files.labels);
    expect(report.accuracy.value).toBe(files.accuracy.value);
  });

  it("compares two versions of a head on the same items, before one is activated", async () => {
    const where = ["--models", "starter-clip", "--data-dir", join(folder, "data")];
    const set = join(folder, "set");
    for (const kind of ["cache", "probe"]) {
      const train = ["train", "--model", "starter-clip", "--name", "pets", "--kind", kind];
      const { code, stderr } = await runMain(...train, "--files", set, "--no-activate", ...where);
      expect(code, stderr).toBe(0);
    }
    const report = await reportOf(set, "--head", "pets@2", "--against-head", "pets@1");
    expect(report.title).toBe("head pets@2");
    expect(report.comparison).toMatchObject({
      with: "head pets@1",
      accuracy: { first: 1, second: 1, difference: { value: 0 } },
    });
    const missing = await run(set, "--head", "pets@3");
    expect(missing.stderr).toContain("version 3");
  });

  it.each([
    [[], /folder or CSV/],
    [["--collection", "x"], /needs --by/],
    [["nowhere"], /no such file/],
    [["SET", "--labels", "giraffe"], /No item has one of the labels/],
    [["SET", "--group-by", "("], /regular expression/],
    [["SET", "--out", "report.pdf"], /\.html or \.json/],
    [["CSV", "--split", "validation"], /No row/],
  ])("says what is wrong with %j", async (args, message) => {
    const path = (arg: string) =>
      arg === "SET" ? join(folder, "set") : arg === "CSV" ? join(folder, "set.csv") : arg;
    const { code, stderr } = await run(...args.map(path));
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
