import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { plain, readable, unfiltered } from "../src/log.js";

function written(format: typeof plain, write: (log: pino.Logger) => void) {
  let text = "";
  write(pino({ base: null }, format({ write: (line) => (text += line) })));
  return text;
}
/** Marks that change the order of signs, or are not seen; the last has two code units. */
const invisible = "\u00ad\u061c\u200b\u200e\u200f\u2066\ufeff\u{e0041}";
/** A line of its own, and sequences that move the cursor, in 7 and in 8 bits. */
const hostile = `a\n[10:00:00] INFO: forged\r\u001b[2J\u009b2J\u202eb\u2028c${invisible}`;

describe("the log on a terminal", () => {
  it("is a line per event, in words", () => {
    const text = written(readable, (log) => {
      log.info({ method: "POST", path: "/v1/zero-shot", status: 200, ms: 12 }, "request");
      log.warn("the disk is nearly full");
    });
    const [first, second] = text.trim().split("\n");
    expect(first).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: request \{.*"path":"\/v1\/zero-shot"/);
    expect(second).toMatch(/WARN: the disk is nearly full$/);
  });

  it("shows what strangers send as text: neither a line of its own nor a sequence", () => {
    const text = written(readable, (log) => {
      log.info({ path: hostile, [hostile]: 1 }, hostile);
      log.error({ err: new Error(hostile) }, "internal error");
    });
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    // The lines of a stack are indented.
    expect(text.match(/^\[/gm)).toHaveLength(2);
  });
});

describe("the log elsewhere", () => {
  it("is a line of JSON per event, which no terminal takes for a sequence", () => {
    const path = `${hostile}é 日本 🎧`;
    const text = written(plain, (log) => log.info({ path }, hostile));
    expect(text).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(text)).toMatchObject({ path, msg: hostile });
  });
});

describe("an unfiltered log", () => {
  it("writes at every level but silent", () => {
    const counts = (["info", "error", "silent"] as const).map((level) => {
      let count = 0;
      unfiltered(pino({ level }, { write: () => count++ })).info("a record");
      return count;
    });
    expect(counts).toEqual([1, 1, 0]);
  });
});
