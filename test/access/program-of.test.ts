import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { programOf } from "../../src/access/program-of.js";

const chrome =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 " +
  "Safari/537.36";
const safari =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like " +
  "Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

describe("programOf", () => {
  it.each([
    ["curl/8.5.0", "curl 8.5.0"],
    ["node", "node"],
    ["crossmodal/0.9.0", "crossmodal 0.9.0"],
    ["python-requests/2.32.3", "python-requests 2.32.3"],
    ["AsyncOpenAI/Python 1.54.3", "OpenAI for Python 1.54.3"],
    ["OpenAI/JS 4.71.1", "OpenAI for JavaScript 4.71.1"],
    ["unknown/None; hf_hub/0.26.2; python/3.12.7", "huggingface_hub 0.26.2"],
    ["@huggingface/inference/2.8.1 node/22", "huggingface/inference 2.8.1"],
    ["Frigate/0.16.0 (camera server)", "Frigate 0.16.0"],
    [chrome, "Chrome 130"],
    [`${chrome} Edg/130.0.0.0`, "Edge 130"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox 132"],
    [safari, "Safari 17"],
  ])("%s is %s", (header, program) => {
    expect(programOf(header)).toBe(program);
  });

  it.each([
    undefined,
    "",
    "<script>alert(1)</script>",
    "\u0007bell/1",
    `${"a".repeat(41)}/1`,
    "caf\u00e9/1",
  ])("%j is no name", (header) => {
    expect(programOf(header)).toBeUndefined();
  });

  it("is short and printable, whatever was sent", () => {
    const part = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(chrome, "OpenAI/JS ", "/"),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const program = programOf(parts.join("")) ?? "";
        expect(program.length).toBeLessThanOrEqual(105);
        expect(program).toMatch(/^[ -~]*$/);
      }),
    );
  });
});
