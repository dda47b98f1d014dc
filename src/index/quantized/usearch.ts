import { createRequire } from "node:module";

// The only file that imports usearch. Its ES module finds its binary by the call stack, which never
// ends in a worker thread started from a string; its CommonJS build does not.
export type Usearch = typeof import("usearch");
export const usearch = createRequire(import.meta.url)("usearch") as Usearch;
