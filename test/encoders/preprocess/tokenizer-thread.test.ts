import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { TextPreprocess } from "../../../src/encoders/manifest.js";
import { loadTokenizer } from "../../../src/encoders/preprocess/tokenizer.js";
import {
  startTokenizer,
  type Tokenizer,
} from "../../../src/encoders/preprocess/tokenizer-thread.js";
import { inspectFolder } from "../../../src/models/inspect-folder.js";
import { goldenJson, goldenPath } from "../../helpers/golden.js";
import { folderWith } from "../../helpers/model-folders.js";

const spec: TextPreprocess = {
  tokenizer: { path: "tokenizer.json", size: 0, sha256: "0".repeat(64) },
  contextLength: 77,
  padding: "longest",
  padTokenId: 0,
  canonicalize: "none",
};
const definition = goldenJson<Record<string, unknown>>("tiny-clip/tokenizer.json");
/** tiny-clip's tokenizer, texts first split at an expression. */
const splitAt = (Regex: string) =>
  folderWith("tiny-clip", {
    "tokenizer.json": {
      ...definition,
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          { type: "Split", pattern: { Regex }, behavior: "Removed", invert: false },
          { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
        ],
      },
    },
  });
/**
 * For 41 letters it tries as many ways as there are to write 40 as a sum of ones and twos, and
 * again for each.
 */
const exponential = "(a|a|aa)+$";
const hanging = `${"a".repeat(40)}b`;

describe("startTokenizer", () => {
  let tokenizer: Tokenizer;
  afterEach(() => tokenizer.close());

  it("gives the ids that loadTokenizer gives", async () => {
    const path = goldenPath("tiny-clip/tokenizer.json");
    tokenizer = await startTokenizer(path, spec, { name: "m" });
    const { idsOf } = loadTokenizer(JSON.stringify(definition), spec);
    const texts = goldenJson<{ text: string }[]>("text/tokens.json").map(({ text }) => text);
    expect(await tokenizer.tokenize(texts)).toEqual(texts.map(idsOf));
    expect(await tokenizer.tokenize([])).toEqual([]);
  });

  it("fails a text whose expression does not end, and serves the texts behind it", async () => {
    const path = join(splitAt(exponential), "tokenizer.json");
    tokenizer = await startTokenizer(path, spec, { name: "m", limitMs: 300 });
    const calls = [["cat"], ["dog", hanging], ["cow"]].map((texts) => tokenizer.tokenize(texts));
    const [before, hung, after] = await Promise.allSettled(calls);
    expect([before.status, after.status]).toEqual(["fulfilled", "fulfilled"]);
    expect(hung).toMatchObject({
      reason: {
        code: "inference_failed",
        message: 'The tokenizer of "m" did not finish a text within 0.3 s',
      },
    });
    expect(await tokenizer.tokenize(["cat"])).toHaveLength(1);
  });

  it("lets the event loop go on while an expression does not end, and closes at once", async () => {
    const path = join(splitAt(exponential), "tokenizer.json");
    tokenizer = await startTokenizer(path, spec, { name: "m" });
    const hung = tokenizer.tokenize([hanging]);
    hung.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    await tokenizer.close();
    await expect(hung).rejects.toBeInstanceOf(Error);
  });

  it("splits many texts of one call into turns, between which others run and aborts act", async () => {
    tokenizer = await startTokenizer(goldenPath("tiny-clip/tokenizer.json"), spec, { name: "m" });
    const controller = new AbortController();
    const texts = Array.from({ length: 100_000 }, (_, i) => `a cat, ${i}`);
    const many = tokenizer.tokenize(texts, controller.signal);
    many.catch(() => undefined);
    expect(await tokenizer.tokenize(["a dog"])).toHaveLength(1);
    controller.abort();
    await expect(many).rejects.toThrow(/abort/);
  });
});

describe("inspectFolder", () => {
  const about = { id: "mine", source: "owner/name", logitScale: 100 };

  it.each([
    ["a part that is unknown", { normalizer: { type: "Invented" } }, "Invented"],
    [
      "an expression that is none",
      { normalizer: { type: "Replace", pattern: { Regex: "(" } } },
      "regular",
    ],
  ])("refuses a tokenizer.json with %s", async (_, keys, message) => {
    const folder = folderWith("tiny-clip", { "tokenizer.json": { ...definition, ...keys } });
    await expect(inspectFolder(folder, about)).rejects.toMatchObject({
      code: "invalid_input",
      param: "folder",
      message: expect.stringMatching(`tokenizer.json: .*${message}`),
    });
  });

  it("refuses a tokenizer.json that hangs on a plain sentence", async () => {
    const folder = splitAt("([a-z, ]|[a-z, ]|[a-z ]{2})+$");
    await expect(inspectFolder(folder, about)).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("did not finish a text within"),
    });
  });
});
