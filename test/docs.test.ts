import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { configurationPage } from "../scripts/configuration-page.js";
import { statusOf } from "../src/routes/error-response.js";
import { lossNames } from "../src/training/losses/loss.js";

const page = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../docs/${name}`, import.meta.url)), "utf8");

describe("docs", () => {
  it("has a row with the right status for every error code, and no other", () => {
    const rows = [...page("errors.md").matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(
      ([, code, status]) => [code, Number(status)],
    );
    const expected = Object.entries({ ...statusOf, internal: 500 });
    expect(rows.sort()).toEqual(expected.sort());
  });

  it("lists every decision once, by a number of its own and its title", () => {
    const folder = fileURLToPath(new URL("../docs/decisions", import.meta.url));
    const expected = readdirSync(folder)
      .filter((file) => file !== "README.md")
      .map((file) => [
        `${Number(file.slice(0, 4))}`,
        file,
        page(`decisions/${file}`).split("\n")[0],
      ]);
    const rows = [...page("decisions/README.md").matchAll(/^\| \[(\d+)\]\((.+?)\) \| (.+?) \|/gm)];
    const listed = rows.map(([, number, file, title]) => [number, file, `# ${number}. ${title}`]);
    expect(listed.sort()).toEqual(expected.sort());
    expect(new Set(rows.map(([, number]) => number)).size).toBe(rows.length);
  });

  it("lists every configuration option as the schema has it", () => {
    expect(page("configuration.md")).toBe(configurationPage());
  });

  it("has every loss in the table of training.md", () => {
    const rows = page("training.md").matchAll(/^\| (`.+?`) \| (graph|TypeScript) \|/gm);
    const named = [...rows].flatMap(([, cell]) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, n]) => n),
    );
    expect(named.sort()).toEqual([...lossNames].sort());
  });
});
