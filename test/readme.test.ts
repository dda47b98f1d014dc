import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../src/app.js";
import type { Services } from "../src/services.js";
import { fixture } from "./helpers/fixtures.js";
import { formPost, startApp } from "./helpers/services.js";

const readme = readFileSync("README.md", "utf8");

/** Every `curl` of a form in README.md with the answer that is printed below it. */
const examples = [
  ...readme.matchAll(/```sh\ncurl -s http:\/\/127\.0\.0\.1:8080(\S+)([^`]*)```\s*```json\n([^`]*)```/g),
].map(([, path, flags, printed]) => {
  const fields = [...flags.matchAll(/-F (?:'([^']*)'|(\S+))/g)].map(([, quoted, plain]) => {
    const [name, value] = (quoted ?? plain).split(/=(.*)/s);
    return [name, value.startsWith("@fixtures/") ? fixture(value.slice("@fixtures/".length)) : value] as const;
  });
  return { path, fields: Object.fromEntries(fields), printed: JSON.parse(printed) as Answer };
});

interface Answer {
  model: string;
  space: string;
  scores: { label: string; score: number }[];
}

describe("README.md", () => {
  let app: App;
  let services: Services;
  beforeAll(async () => {
    ({ app, services } = await startApp());
  });
  afterAll(() => services.close());

  it("shows a sound and a picture", () => {
    expect(examples.map(({ fields }) => Object.keys(fields)[0])).toEqual(expect.arrayContaining(["audio", "image"]));
  });

  it.each(examples)("prints what the server answers to $fields.candidate_labels", async ({ path, fields, printed }) => {
    const response = await app.request(path, formPost(fields));
    const { model, space, scores } = (await response.json()) as Answer;
    expect({ model, space, labels: scores.map(({ label }) => label) }).toEqual({
      model: printed.model,
      space: printed.space,
      labels: printed.scores.map(({ label }) => label),
    });
    // Two digits: 8-bit kernels differ in the third between CPUs with and without VNNI.
    for (const [i, { score }] of scores.entries()) expect(score).toBeCloseTo(printed.scores[i].score, 2);
  });
});
