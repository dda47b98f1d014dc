import { describe, expect, it } from "vitest";
import { hnswlibEngine } from "../../../src/index/embedded/hnswlib-graph.js";

describe("hnswlibEngine", () => {
  it("names the option and what to do when the package is not there", () => {
    const missing = () => {
      throw new Error("Cannot find module 'hnswlib-node'");
    };
    expect(() => hnswlibEngine(missing)).toThrow(
      expect.objectContaining({
        code: "invalid_input",
        param: "indexEngine",
        message: expect.stringContaining("npm i hnswlib-node"),
      }),
    );
  });
});
