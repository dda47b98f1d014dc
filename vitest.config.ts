import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Tests leave their folders where they made them, and data folders have a reserve of 16 MB each:
// all of a run are in one, which goes at its end.
const temporary = mkdtempSync(join(tmpdir(), "crossmodal-tests-"));
process.env.TMPDIR = temporary;
process.once("exit", () => {
  try {
    rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
  } catch {} // a process that a failed test left behind still writes there
});

/**
 * What makes a test slow: models, real servers, other processes, browsers. A test that imports one
 * of these is left out of `npm run test:fast`, and so is one that says "// slow: …" itself.
 */
const slowMarks = [
  /helpers\/(browser|packs|postgres|serve|services|run-main|train-child|golden)\.js/,
  /playwright-core|node:child_process/,
  /^\/\/ slow: /m,
];

const testFiles = readdirSync("test", { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".test.ts"))
  .map((path) => `test/${path.replaceAll("\\", "/")}`);
const isSlow = (path: string) => {
  const text = readFileSync(path, "utf8");
  return slowMarks.some((mark) => mark.test(text));
};

/** Run once more with everything in PostgreSQL. */
const onPostgresToo = [
  "collections/move-job",
  "routes/collections",
  "routes/items",
  "routes/item-media",
  "routes/map",
  "routes/search",
  "routes/headed-collections",
  "routes/heads",
  "routes/bridges",
  "routes/label-sets",
  "routes/calibrations",
  "routes/jobs",
].map((name) => `test/${name}.test.ts`);

const shared = {
  // Native runtimes (ONNX Runtime, SQLite, usearch) live in worker threads of their own; a process
  // per test file keeps one file's crash or leak from another's result.
  pool: "forks",
  // For what hangs: tests that start processes take seconds, and many times that on a machine that
  // is busy with others.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // Where data lie by default: never among those of whoever runs the tests
  env: { XDG_DATA_HOME: join(tmpdir(), "crossmodal-test-data") },
  expect: { poll: { timeout: 60_000 } },
} as const;

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: "fast", include: testFiles.filter((path) => !isSlow(path)) } },
      { test: { ...shared, name: "models", include: testFiles.filter(isSlow) } },
      {
        test: {
          ...shared,
          name: "postgres",
          include: onPostgresToo,
          globalSetup: "test/postgres/global-setup.ts",
        },
      },
    ],
  },
});
