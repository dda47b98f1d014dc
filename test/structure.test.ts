import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => normalize(join("src", path)));
const textOf = (file: string) => readFileSync(file, "utf8");

/** Files of ours that a file imports, types too. */
const importsOf = new Map(
  files.map((file) => [
    file,
    [...textOf(file).matchAll(/(?:from|import\()\s*"(\.[^"]+)\.js"/g)].map(([, path]) =>
      normalize(join(dirname(file), `${path}.ts`)),
    ),
  ]),
);

describe("src/", () => {
  it("has no file of more than 250 lines", () => {
    const long = files.filter((file) => textOf(file).split("\n").length - 1 > 250);
    expect(long).toEqual([]);
  });

  it("has no import cycle, of types neither", () => {
    const finished = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: string[]) => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      if (path.includes(file) || finished.has(file)) return;
      for (const other of importsOf.get(file) ?? []) visit(other, [...path, file]);
      finished.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it("imports services.ts only from what is above it", () => {
    const above = /^src\/(app|server|public|services|routes|commands|openapi)\b/;
    const others = files.filter(
      (file) => importsOf.get(file)?.includes("src/services.ts") && !above.test(file),
    );
    expect(others).toEqual([]);
  });

  it.each(["math", "json", "files", "workers"])(
    "lets src/%s know nothing of the rest",
    (folder) => {
      const ground = new RegExp(`^src/(${folder}/|(errors|log|metrics)\\.ts)`);
      const up = files
        .filter((file) => file.startsWith(`src/${folder}/`))
        .flatMap((file) => (importsOf.get(file) ?? []).map((other) => `${file} -> ${other}`))
        .filter((arrow) => !ground.test(arrow.split(" -> ")[1]));
      expect(up).toEqual([]);
    },
  );
});
