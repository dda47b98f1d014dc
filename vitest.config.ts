import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Native runtimes (ONNX Runtime, SQLite, usearch) live in worker threads of their own; a process per test file
    // keeps one file's crash or leak from another's result.
    pool: "forks",
    maxWorkers: 2,
    // For what hangs: tests that start processes take seconds, and many times that on a machine that is busy with others.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
