import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const folder = fileURLToPath(new URL("../../bench/", import.meta.url));
const scripts = readdirSync(folder).filter(
  (file) =>
    file.endsWith(".ts") &&
    readFileSync(folder + file, "utf8").includes("readArguments(import.meta.url"),
);

function run(
  script: string,
  flag: string,
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--import", "tsx", folder + script, flag],
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

describe("the scripts of bench/", () => {
  it("are found", () => {
    expect(scripts).toEqual(
      expect.arrayContaining(["encoders.ts", "eval.ts", "search.ts", "training.ts"]),
    );
  });

  it.each(scripts)(
    "%s says for --help how it is called",
    async (script) => {
      const help = await run(script, "--help");
      expect(help).toMatchObject({ code: 0, stderr: "" });
      expect(help.stdout).toMatch(/^usage: (npm run|npx tsx) /);
    },
    120_000,
  );

  // All of them read their flags by the same function
  it("say how they are called for a flag they do not know", async () => {
    const help = await run("search.ts", "--help");
    const wrong = await run("search.ts", "--nonsense");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toBe(`${wrong.stderr.split("\n")[0]}\n${help.stdout}`);
    expect(wrong.stderr).toContain("'--nonsense'");
  }, 120_000);
});
