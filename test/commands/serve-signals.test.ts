import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A server that has written its first line: its models are not loaded yet. */
async function starting(dataDir: string, ...more: string[]) {
  const flags = ["--port", "0", "--device", "cpu", "--data-dir", dataDir, ...more];
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli.ts", "serve", ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let output = "";
  child.stdout?.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    output += chunk;
  });
  await once(child.stderr!, "data");
  expect(output).not.toContain("listens on");
  return { child, output: () => output, ended: once(child, "exit") };
}
const newFolder = () => mkdtempSync(join(tmpdir(), "crossmodal-signals-"));

it("does a reload that is asked for while the models load once the server runs", async () => {
  const dataDir = newFolder();
  const config = join(dataDir, "config.json");
  writeFileSync(config, '{ "maxLabels": 5 }');
  const { child, output, ended } = await starting(dataDir, "--config", config);
  writeFileSync(config, '{ "maxLabels": 6 }');
  child.kill("SIGHUP");
  await expect.poll(output, { timeout: 30_000 }).toMatch(/"changed":\["maxLabels"\].*reloaded"/);
  expect(output()).toContain("listens on");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});

it("ends at once where it is stopped while the models load, and starts again", async () => {
  const dataDir = newFolder();
  const first = await starting(dataDir);
  first.child.kill("SIGTERM");
  expect(await first.ended).toEqual([null, "SIGTERM"]); // as systemd takes for a clean end
  expect(first.output()).toContain('"msg":"stopped while starting"');
  expect(first.output()).not.toContain("listens on");
  const { child, output } = await starting(dataDir);
  await expect.poll(output, { timeout: 30_000 }).toContain("listens on");
  child.kill("SIGHUP");
  await expect.poll(output).toContain("a reload applies nothing without a config file");
});
