import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const sourcesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => normalize(join(folder, path)));
const files = sourcesIn("src");
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

  it("has no import cycle, not even of types", () => {
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

  it("keeps to 100 columns, but for words longer than 60, as URLs and pinned data are", () => {
    const long = ["src", "test", "web/src"]
      .flatMap((folder) => sourcesIn(folder))
      .flatMap((file) =>
        textOf(file)
          .split("\n")
          .map((line, i) => ({ file, line, at: i + 1 })),
      )
      // The title of a test is one string, so that it can be searched for.
      .map(({ line, ...rest }) => ({
        line: line.replace(/(["`]), (async )?\(\) => \{$/, "$1"),
        ...rest,
      }))
      .filter(({ line }) => line.length > 100 && !/\S{60}/.test(line))
      .map(({ file, at }) => `${file}:${at}`);
    expect(long).toEqual([]);
  });

  it("imports only from the layers above in docs/architecture.md", () => {
    const list = textOf("docs/architecture.md").match(/```layers\n([^`]*)```/)?.[1] ?? "";
    const layers = list
      .trim()
      .split("\n")
      .map((line) => line.split(" "));
    const names = new Set(layers.flat());
    // Of `config/` and `config`, the folder is the one with the slash.
    const layerName = (file: string) => {
      const [, name, inside] = file.split("/");
      if (inside === undefined) return name.replace(/\.ts$/, "");
      return names.has(`${name}/`) ? `${name}/` : name;
    };
    const layerOf = (file: string) => {
      const isGround = file.split("/").length === 2 && !names.has(layerName(file));
      return isGround ? 0 : layers.findIndex((line) => line.includes(layerName(file)));
    };
    expect(files.filter((file) => layerOf(file) < 0)).toEqual([]);
    const upward = files.flatMap((file) =>
      (importsOf.get(file) ?? [])
        .filter((other) => layerName(other) !== layerName(file))
        .filter((other) => layerOf(other) >= layerOf(file) && layerOf(other) > 0)
        .map((other) => `${file} -> ${other}`),
    );
    expect(upward).toEqual([]);
  });
});
