import { Writable } from "node:stream";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { readable } from "../src/log.js";

describe("the log on a terminal", () => {
  it("is a line per event, in words", () => {
    let text = "";
    const terminal = new Writable({
      write(chunk, _, done) {
        text += String(chunk);
        done();
      },
    });
    const log = pino({ base: null }, readable(terminal));
    log.info({ method: "POST", path: "/v1/zero-shot", status: 200, ms: 12 }, "request");
    log.warn("the disk is nearly full");
    const [first, second] = text.trim().split("\n");
    expect(first).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: request \{.*"path":"\/v1\/zero-shot"/);
    expect(second).toMatch(/WARN: the disk is nearly full$/);
  });
});
