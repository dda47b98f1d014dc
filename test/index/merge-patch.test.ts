import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/index/item.js";
import { mergePatch } from "../../src/index/merge-patch.js";

describe("mergePatch", () => {
  // RFC 7396, appendix A, as far as patch and target are objects
  it.each<[string, string, string]>([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', "{}"],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
    ['{"a":1}', '{"__proto__":{"x":1}}', '{"a":1,"__proto__":{"x":1}}'],
  ])("merges into %s the patch %s", (target, patch, expected) => {
    const merged = mergePatch(JSON.parse(target) as JsonObject, JSON.parse(patch) as JsonObject);
    expect(JSON.stringify(merged)).toBe(expected);
  });
});
