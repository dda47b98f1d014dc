import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const project = mkdtempSync(join(tmpdir(), "crossmodal-install-"));
const page = readFileSync("docs/library.md", "utf8");
const [, example] = /```js\n(.*?)```/s.exec(page)!;
const [, printed] = /It prints\n\n```\n(.*?)```/s.exec(page)!;

/**
 * The registry of npm is there, and nothing else: what install scripts would fetch fails. Settings
 * of this repository, which npm hands on to what it runs, are not a project's.
 */
const env = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/onnxruntime_node_install/i.test(name)),
  ),
  GLOBAL_AGENT_HTTPS_PROXY: "http://127.0.0.1:9",
  CROSSMODAL_DATA_DIR: join(project, "data"),
};
function run(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: project,
    env,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("the package in a project of one's own", () => {
  beforeAll(() => {
    // .ci/run builds before the tests
    if (!existsSync("dist/public.js"))
      expect(spawnSync("npm", ["run", "--silent", "build"]).status).toBe(0);
    const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", project];
    expect(spawnSync("npm", pack).status).toBe(0);
    writeFileSync(join(project, "package.json"), '{"type": "module", "private": true}');
    copyFileSync("fixtures/images/cat.jpg", join(project, "cat.jpg"));
  }, 300_000);
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it("is installed without a download besides packages", () => {
    const [file] = readdirSync(project).filter((name) => name.endsWith(".tgz"));
    const { status, stderr } = run("npm", "install", "--no-audit", "--no-fund", `./${file}`);
    expect(status, stderr).toBe(0);
    const runtime = join(project, "node_modules/onnxruntime-node");
    expect(existsSync(join(runtime, "package.json"))).toBe(true);
    const libraries = readdirSync(runtime, { recursive: true, encoding: "utf8" });
    expect(libraries.filter((path) => /cuda.*\.(so|dll)/.test(path))).toEqual([]);
  }, 300_000);

  it("has types for the example under strict", () => {
    writeFileSync(join(project, "example.ts"), example);
    const config = {
      compilerOptions: {
        strict: true,
        noEmit: true,
        module: "nodenext",
        target: "es2022",
        skipLibCheck: true,
        typeRoots: [resolve("node_modules/@types")],
        types: ["node"],
      },
      files: ["example.ts"],
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
    const tsc = resolve("node_modules/typescript/bin/tsc");
    expect(run(process.execPath, tsc, "-p", project).stdout).toBe("");
  });

  it("runs the example", () => {
    writeFileSync(join(project, "example.mjs"), example);
    expect(run(process.execPath, "example.mjs")).toEqual({
      status: 0,
      stdout: printed,
      stderr: "",
    });
  });

  it("has the client and the command line", () => {
    const code = 'import("crossmodal/client").then((c) => console.log(typeof c.createClient))';
    expect(run(process.execPath, "-e", code).stdout).toBe("function\n");
    const command = join(project, "node_modules/.bin/crossmodal");
    const args = ["classify", "cat.jpg", "--labels", "cat,rocket", "--models", "starter-clip"];
    expect(run(command, ...args).stdout).toMatch(/^\s*0\.9\d+\s+cat$/m);
  });
});
