import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Native runtimes (ONNX Runtime, SQLite, usearch) live in worker threads of their own; a process per test file
    // keeps one file's crash or leak from another's result.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
