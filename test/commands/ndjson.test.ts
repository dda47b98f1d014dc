import { describe, expect, it } from "vitest";
import { wholeLines } from "../../src/commands/ndjson.js";

const bytes = (text: string) => Buffer.from(text);

describe("wholeLines", () => {
  it("cuts at the ends of lines, whatever the chunks, and ends the last one", async () => {
    const text = 'a\nlänger\n\n{"b": 1}\nlast';
    for (const size of [1, 2, 3, 7, 100]) {
      const chunks = (async function* () {
        for (let at = 0; at < bytes(text).length; at += size)
          yield bytes(text).subarray(at, at + size);
      })();
      let joined = "";
      for await (const piece of wholeLines(chunks)) {
        expect(piece.at(-1)).toBe(10);
        joined += Buffer.from(piece).toString();
      }
      expect(joined).toBe(`${text}\n`);
    }
  });
});
