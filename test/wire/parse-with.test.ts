import { describe, expect, it } from "vitest";
import { z } from "zod";
import { parseWith } from "../../src/wire/parse-with.js";

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
      "expected a string or a file, received the number 7",
    ],
    [
      "all that a field may be",
      { input: 5 },
      "input",
      "expected a string or a file or an array, received the number 5",
    ],
    ["a missing field", {}, "input", "missing; expected a string or a file or an array"],
    [
      "what was given in the place of a missing field",
      { image: "a" },
      "input",
      'missing; expected a string or a file or an array; "image" is unknown',
    ],
    ["an empty list", { input: [] }, "input", "expected at least 1 entry, received none"],
    ["an unknown field", { input: "a", mor: [1] }, "mor", 'did you mean "more"?'],
    ["a path", { input: "a", more: [1, 0.5] }, "more[1]", "a whole number"],
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
