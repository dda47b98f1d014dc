import { describe, expect, it } from "vitest";
import { z } from "zod";
import { parseWith } from "../../src/routes/read-json.js";

describe("parseWith", () => {
  const media = z.union([z.string().min(1), z.instanceof(Uint8Array)]);
  const schema = z.strictObject({
    input: z.union([media, z.array(media).min(1)]),
    more: z.array(z.int()).optional(),
  });

  it.each([
    [
      "the one wrong entry of a list",
      { input: ["a", 7] },
      "input[1]",
      "expected string or file, received number",
    ],
    [
      "all that a field may be",
      { input: 5 },
      "input",
      "expected string or file or array, received number",
    ],
    ["a missing field", {}, "input", "missing; expected string or file or array"],
    ["an empty list", { input: [] }, "input", ">=1 items"],
    ["an unknown field", { input: "a", inputs: 1 }, "inputs", "Unrecognized key"],
    ["a path", { input: "a", more: [1, 0.5] }, "more[1]", "int"],
  ])("names %s", (_, value, param, words) => {
    let error: unknown;
    try {
      parseWith(schema, value);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({
      code: "invalid_input",
      param,
      message: expect.stringContaining(words),
    });
  });
});
