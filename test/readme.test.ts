import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { serve } from "@hono/node-server";
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

/** Every block of commands, without the address of a server, and what is printed below it. */
const recipes = [
  ...readme.matchAll(/```sh\n([^`]*\bnode dist\/cli\.js [^`]*)```\s*```\n([^`]*)```/g),
].map(([, script, printed]) => ({
  title: script.trim().split("\n").at(-1)!,
  script: script.replaceAll(" --url http://127.0.0.1:8080", ""),
  printed,
}));

/** The text between numbers, and the numbers. Folders and the widths of columns do not count. */
const partsOf = (printed: string) => {
  const text = printed
    .replace(/\S*\/(?=fixtures\/)/g, "")
    .replace(/[ \t]+/g, " ")
    .trim();
  const number = /-?\d+\.\d+/g;
  return { words: text.replace(number, "#"), numbers: (text.match(number) ?? []).map(Number) };
};

/** Runs a script as a reader would, in a folder that looks like a clone which was built. */
async function run(script: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-readme-"));
  symlinkSync(resolve("fixtures"), join(folder, "fixtures"));
  const cli = `${process.execPath} --import ${import.meta.resolve("tsx")} ${resolve("src/cli.ts")}`;
  const env = { ...process.env, CROSSMODAL_DATA_DIR: folder, CROSSMODAL_DEVICE: "cpu" };
  const commands = script.replaceAll("node dist/cli.js", cli);
  return (await promisify(execFile)("bash", ["-ec", commands], { cwd: folder, env })).stdout;
}

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

  it("shows a program that prints what its comment says", async () => {
    const [, program] = /```ts\n([^`]*)```/.exec(readme)!;
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const file = join(mkdtempSync(join(tmpdir(), "crossmodal-readme-")), "program.mts");
    const client = JSON.stringify(pathToFileURL(resolve("src/client/client.ts")));
    writeFileSync(
      file,
      program
        .replace("http://127.0.0.1:8080", `http://127.0.0.1:${port}`)
        .replace('"crossmodal/client"', client),
    );
    const tsx = ["--import", import.meta.resolve("tsx"), file];
    const { stdout } = await promisify(execFile)(process.execPath, tsx);
    server.close();
    expect(stdout.trim()).toBe(/\/\/ (.*)\n$/.exec(program)?.[1]);
  }, 60_000);

  it("has the search and five recipes, one of them a program", () => {
    expect(recipes.length).toBe(5);
  });

  it.each(recipes)(
    "prints what $title prints",
    async ({ script, printed }) => {
      const found = partsOf(await run(script));
      const promised = partsOf(printed);
      expect(found.words).toBe(promised.words);
      for (const [i, number] of promised.numbers.entries())
        expect(Math.abs(found.numbers[i] - number)).toBeLessThan(number > 1 ? 0.15 * number : 0.05);
    },
    180_000,
  );
});
