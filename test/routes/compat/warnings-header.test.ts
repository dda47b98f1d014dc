import { describe, expect, it } from "vitest";
import type { Content } from "../../../src/inference/content.js";
import type { ForeignContext } from "../../../src/routes/compat/shape.js";
import { warnInHeader } from "../../../src/routes/compat/warnings-header.js";

/** The header that is set for so many sounds, all with the same warning. */
function headerFor(count: number, warning: string | undefined): string | undefined {
  let set: string | undefined;
  const c = { header: (_: string, value: string) => (set = value) } as unknown as ForeignContext;
  const contents = Array.from(
    { length: count },
    (_, i) => ({ modality: "audio", param: `input[${i}]` }) as Content,
  );
  const warnings = contents.map(() => warning && [warning]);
  warnInHeader(c, contents, warnings as string[][]);
  return set;
}

describe("the header of warnings", () => {
  it("is not there without warnings", () => {
    expect(headerFor(2, undefined)).toBeUndefined();
  });

  it("is ASCII whatever is said", () => {
    const header = headerFor(1, "é\n🐑");
    expect(header).toMatch(/^[ -~]+$/);
    expect(JSON.parse(header ?? "")).toEqual(["input[0]: é\n🐑"]);
  });

  it("says how many more there are when it would be longer than clients read", () => {
    const header = headerFor(1000, "The file is cut short");
    expect(header?.length).toBeLessThan(4100);
    const warnings = JSON.parse(header ?? "") as string[];
    expect(warnings.at(-1)).toBe(`${1000 - (warnings.length - 1)} further warnings`);
  });
});
