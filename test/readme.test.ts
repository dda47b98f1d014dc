import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../src/app.js";
import type { Services } from "../src/services.js";
import { fixture } from "./helpers/fixtures.js";
import { formPost, startApp } from "./helpers/services.js";

const readme = readFileSync("README.md", "utf8");

/** Every `curl` of a form in README.md with the answer that is printed below it. */
const examples = [
  ...readme.matchAll(
    /```sh\ncurl -s http:\/\/127\.0\.0\.1:8080(\S+)([^`]*)```\s*```json\n([^`]*)```/g,
  ),
].map(([, path, flags, printed]) => {
  const fields = [...flags.matchAll(/-F (?:'([^']*)'|(\S+))/g)].map(([, quoted, plain]) => {
    const [name, value] = (quoted ?? plain).split(/=(.*)/s);
    return [
      name,
      value.startsWith("@fixtures/") ? fixture(value.slice("@fixtures/".length)) : value,
    ] as const;
  });
  return { path, fields: Object.fromEntries(fields), printed: JSON.parse(printed) as Answer };
});

interface Answer {
  model: string;
  space: string;
  scores: { label: string; score: number }[];
}

/**
 * The lines of the block of `crossmodal` commands on a collection, without the address, and what is
 * printed below it.
 */
const [, commandBlock, printedBlock] =
  /```sh\n(node dist\/cli\.js add [^`]*)```\s*```\n([^`]*)```/.exec(readme) ?? ["", "", ""];
const commands = commandBlock
  .trim()
  .split("\n")
  .map((line) =>
    [...line.replace(/ --url \S+/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain,
    ),
  );
const firstHits = (text: string) =>
  [...text.matchAll(/^ +1 +(-?[\d.]+) +(\S+) /gm)].map(([, cosine, id]) => ({
    cosine: Number(cosine),
    id,
  }));

describe("README.md", () => {
  let app: App;
  let services: Services;
  beforeAll(async () => {
    ({ app, services } = await startApp());
  });
  afterAll(() => services.close());

  it("shows a sound and a picture", () => {
    expect(examples.map(({ fields }) => Object.keys(fields)[0])).toEqual(
      expect.arrayContaining(["audio", "image"]),
    );
  });

  it.each(examples)(
    "prints what the server answers to $fields.candidate_labels",
    async ({ path, fields, printed }) => {
      const response = await app.request(path, formPost(fields));
      const { model, space, scores } = (await response.json()) as Answer;
      expect({ model, space, labels: scores.map(({ label }) => label) }).toEqual({
        model: printed.model,
        space: printed.space,
        labels: printed.scores.map(({ label }) => label),
      });
      // Two digits: 8-bit kernels differ in the third between CPUs with and without VNNI.
      for (const [i, { score }] of scores.entries())
        expect(score).toBeCloseTo(printed.scores[i].score, 2);
    },
  );

  it("prints what a collection's commands find first", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-readme-"));
    let printed = "";
    for (const [, , ...args] of commands) {
      const cli = [
        "--import",
        "tsx",
        "src/cli.ts",
        ...args,
        "--data-dir",
        dataDir,
        "--device",
        "cpu",
      ];
      printed += (await promisify(execFile)(process.execPath, cli)).stdout;
    }
    const found = firstHits(printed);
    const promised = firstHits(printedBlock);
    expect(found.map(({ id }) => id)).toEqual(promised.map(({ id }) => id));
    expect(promised).toHaveLength(2);
    for (const [i, { cosine }] of promised.entries())
      expect(found[i].cosine).toBeCloseTo(cosine, 2);
  }, 180_000);
});
