import { describe, expect, it } from "vitest";
import {
  parseTraceparent,
  traceFields,
  traceOutgoing,
  traceparentOf,
  withTrace,
} from "../../src/tracing/trace-context.js";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

describe("traceparent", () => {
  it.each([
    ["00", "01", true],
    ["00", "00", false],
    ["00", "ff", true],
    ["cc", "03", true],
  ])("of version %s with the flags %s is read", (version, flags, isSampled) => {
    const context = parseTraceparent(`${version}-${traceId}-${spanId}-${flags}`);
    expect(context).toEqual({ traceId, spanId, isSampled });
  });

  it("of a version to come may say more", () => {
    const header = `01-${traceId}-${spanId}-01-what-will-be`;
    expect(parseTraceparent(header)?.traceId).toBe(traceId);
  });

  it.each([
    undefined,
    "",
    "00",
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}-01\r\nX-Evil: 1`,
    `00-${traceId}-${spanId}-01\n`,
    ` 00-${traceId}-${spanId}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${"0".repeat(32)}-${spanId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${traceId}0-${spanId}-01`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`,
    `00-${"a".repeat(100_000)}`,
    `00-${traceId.replace("4", "٤")}-${spanId}-01`,
  ])("that is none counts as not sent: %j", (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  it("is sent on as it came where no spans are made, and stands in the log", () => {
    const context = { traceId, spanId, isSampled: false };
    withTrace({ context }, () => {
      const sent = traceOutgoing("GET", "media.example").headers;
      expect(sent).toEqual({ traceparent: `00-${traceId}-${spanId}-00` });
      expect(parseTraceparent(traceparentOf(context))).toEqual(context);
      expect(traceFields()).toEqual({ trace_id: traceId, span_id: spanId });
    });
    expect(traceOutgoing("GET", "media.example").headers).toEqual({});
    expect(traceFields()).toEqual({});
  });
});
