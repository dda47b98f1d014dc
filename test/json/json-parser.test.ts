import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonError, jsonLimits } from "../../src/json/json-limits.js";
import { InexactNumber } from "../../src/json/json-number.js";
import { JsonParser } from "../../src/json/json-parser.js";

/** Parsed in one go, or in the shortest slices there are. */
function parse(text: string | Uint8Array, { sliced = false, isMetadata = false } = {}): unknown {
  const parser = new JsonParser(Buffer.from(text), isMetadata);
  while (!parser.run(sliced ? 0 : Number.POSITIVE_INFINITY));
  return parser.value;
}

const plain = (text: string) => text.isWellFormed();
const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.constantFrom('"', "\\", "\n", "\u0000", "é", "😀", "/", "u", "\u2028") }),
);
const anyJson = fc
  .jsonValue({ maxDepth: 6, stringUnit: "grapheme" })
  .filter((value) => plain(JSON.stringify(value)));

describe("JsonParser", () => {
  it("gives what JSON.parse gives, in one go or in slices, however it is spaced", () => {
    fc.assert(
      fc.property(anyJson, fc.constantFrom(0, 1, "\t", " \r\n"), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(parse(text)).toEqual(JSON.parse(text));
        expect(parse(text, { sliced: true })).toEqual(JSON.parse(text));
      }),
    );
  });

  it("refuses exactly the damaged texts that JSON.parse refuses", () => {
    const character = fc.constantFrom(
      ...'{}[]",:\\truefalsn0123456789-+.eE /u',
      "\n",
      "\u0001",
      "é",
    );
    fc.assert(
      fc.property(
        anyJson,
        fc.nat(),
        fc.nat({ max: 2 }),
        fc.string({ unit: character, maxLength: 3 }),
        (value, at, cut, more) => {
          const text = JSON.stringify(value);
          const from = at % (text.length + 1);
          const damaged = (text.slice(0, from) + more + text.slice(from + cut)).toWellFormed();
          let expected: unknown;
          try {
            expected = { value: JSON.parse(damaged) };
          } catch {
            expected = undefined;
          }
          let found: unknown;
          try {
            found = { value: parse(damaged) };
          } catch (error) {
            // What is refused on purpose besides.
            if (/appears twice|double|surrogate/.test((error as Error).message)) return;
          }
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["[1,]", "unexpected"],
    ["[01]", "unexpected"],
    ["[1.]", "unexpected"],
    ["[.5]", "unexpected"],
    ["[+1]", "unexpected"],
    ["[1e]", "unexpected"],
    ["[NaN]", "NaN"],
    ["[-Infinity]", "NaN and Infinity"],
    ["['a']", "unexpected"],
    ['{"a":1,}', "unexpected"],
    ["{a:1}", "unexpected"],
    ["[1] 2", "unexpected"],
    ["", "too early"],
    ["[", "too early"],
    ['"abc', "does not end"],
    ['"a\tb"', "control"],
    ['"\\x"', "escape"],
    ['"\\u12"', "not end"],
    ["tru", "unexpected"],
    ["nulll", "unexpected"],
    ["-", "unexpected"],
    ["[1 2]", "unexpected"],
    ['{"a" 1}', "unexpected"],
    ["/* */ 1", "unexpected"],
    ["\u00a01", "unexpected"],
  ])("refuses %s", (text, words) => {
    expect(() => parse(text)).toThrow(JsonError);
    expect(() => parse(text)).toThrow(new RegExp(words, "i"));
  });

  it("reads every double to the last bit", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Object.is(parse(`[${JSON.stringify(value)}]`), undefined)).toBe(false);
        const [read] = parse(`[${value === 0 ? "0" : value}]`) as number[];
        expect(read).toBe(value === 0 ? 0 : value);
        // As other languages write them: seventeen digits, exponents with a sign and zeros.
        const [other] = parse(
          `[${value.toExponential(17).replace(/e([+-])(\d)$/, "e$10$2")}]`,
        ) as number[];
        expect(other === value).toBe(true);
      }),
    );
    expect(Object.is((parse("[-0]") as number[])[0], -0)).toBe(true);
  });

  it("refuses whole numbers that a double cannot hold, and numbers beyond it, naming where", () => {
    for (const text of [
      "9007199254740993",
      "1152921504606846976",
      "1e400",
      "-1e999",
      "1e-400",
      "123456789012345678901234567890",
    ]) {
      let error: unknown;
      try {
        parse(`{"a":[{"b":0},{"b":${text}}]}`);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ path: "a[1].b", message: expect.stringContaining(text) });
    }
    for (const text of [
      "9007199254740992",
      "1e300",
      "100000000000000000000",
      "0.12345678901234567890",
      "5e-324",
    ]) {
      expect(parse(text)).toBe(Number(text));
    }
  });

  it("marks numbers of metadata that would come back changed", () => {
    const item = parse(
      '{"items":[{"metadata":{"a":9007199254740993,"b":[0.12345678901234567890],' +
        '"c":0.1,"d":1e400}}]}',
    );
    expect(item).toEqual({
      items: [
        {
          metadata: {
            a: new InexactNumber("9007199254740993"),
            b: [new InexactNumber("0.12345678901234567890")],
            c: 0.1,
            d: new InexactNumber("1e400"),
          },
        },
      ],
    });
    expect(parse('{"a":9007199254740993}', { isMetadata: true })).toEqual({
      a: new InexactNumber("9007199254740993"),
    });
  });

  it("refuses a key that appears twice, also in other letters", () => {
    expect(() => parse('{"a":{"id":1,"b":2,"\\u0069d":3}}')).toThrow(/"id" appears twice/);
    expect(() => parse('{"__proto__":1,"__proto__":2}')).toThrow(/appears twice/);
    expect(parse('{"toString":1,"constructor":2}')).toEqual({ toString: 1, constructor: 2 });
  });

  it("keeps __proto__ as a key like any other", () => {
    const value = parse('{"__proto__":{"polluted":1}}') as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(JSON.stringify(value)).toBe('{"__proto__":{"polluted":1}}');
  });

  it("refuses unpaired surrogates outside metadata", () => {
    expect(() => parse('{"text":"\\ud83d"}')).toThrow(/surrogate/);
    expect(() => parse('{"\\udc00":1}')).toThrow(/surrogate/);
    expect(parse('"\\ud83d\\ude00"')).toBe("😀");
  });

  it("reads long strings of any kind as JSON.parse does", () => {
    const kinds = [
      "A",
      "\\/",
      "é",
      "😀",
      '\\"',
      "\\u00e9",
      "\\ud83d\\ude00",
      "a\\\\",
      "\\n",
      "x\\u0041é",
    ];
    for (const kind of kinds) {
      for (const count of [1, 20, 70, 100_000]) {
        const text = `{"k":"${kind.repeat(count)}","l":"${kind}"}`;
        expect(parse(text, { sliced: true }) as object).toEqual(JSON.parse(text));
      }
    }
    fc.assert(
      fc.property(fc.array(anyText), fc.nat({ max: 300_000 }), (texts, padding) => {
        const text = JSON.stringify([..."ab", texts.join("") + "é".repeat(padding), ...texts]);
        if (plain(JSON.parse(text).join(""))) expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 30 },
    );
  });

  it("reads arrays of numbers of any length and mixture as JSON.parse does", () => {
    const number = fc.oneof(
      { weight: 8, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
      fc.constantFrom("0", "-0", "1e5", "1E-7", "12", "1.50", "0.000", "9007199254740992"),
    );
    const other = fc.constantFrom(
      '"]"',
      "[]",
      "[1,2]",
      '{"a":[3]}',
      "null",
      '"\\""',
      "é",
      ",",
      "-",
    );
    const entry = fc.oneof({ weight: 500, arbitrary: number }, other);
    const separator = fc.constantFrom(",", ", ", "\n,\t");
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 40 }),
        separator,
        fc.nat(200),
        (entries, comma, n) => {
          const repeated = Array.from({ length: n }, () => entries.join(comma)).join(comma);
          const text = `{"k":[[${repeated}],7]}`;
          let expected: unknown;
          try {
            expected = JSON.parse(text);
          } catch {
            expect(() => parse(text)).toThrow(JsonError);
            return;
          }
          expect(parse(text)).toEqual(expected);
          expect(parse(text, { sliced: true })).toEqual(expected);
        },
      ),
    );
  });

  it.each(["9007199254740993", "-1e999", "1e-400", `0.${"0".repeat(400)}1`])(
    "finds %s among many numbers",
    (text) => {
      for (const count of [2, 100, 50_000]) {
        const row = [...Array(count).fill("0.125"), text, "0", "0.5"].join();
        const shown = expect.stringContaining(text.slice(0, 40));
        let error: unknown;
        try {
          parse(`{"rows":[[1],[${row}]]}`);
        } catch (thrown) {
          error = thrown;
        }
        expect(error).toMatchObject({ path: `rows[1][${count}]`, message: shown });
        const kept = parse(`{"metadata":{"a":[${row}]}}`) as { metadata: { a: unknown[] } };
        expect(kept.metadata.a[count]).toEqual(new InexactNumber(text));
      }
    },
  );

  it("refuses a control character anywhere in a long string, and keeps what is not ASCII", () => {
    for (let at = 0; at < 300; at++) {
      for (const shift of ["", " ", "  ", "   "]) {
        const around = ["A".repeat(at), "A".repeat(1000)];
        for (const control of ["\0", "\n", "\u001f"]) {
          expect(() => parse(`${shift}"${around.join(control)}"`)).toThrow(/control/i);
        }
        for (const character of [" ", "\u007f", "\u0080", "é", "😀"]) {
          const text = around.join(character);
          expect(parse(`${shift}"${text}"`)).toBe(text);
        }
      }
    }
  });

  it.each([
    ["depth", "[".repeat(jsonLimits.depth + 1), "nested"],
    ["depth of objects", '{"a":'.repeat(jsonLimits.depth + 1), "nested"],
    ["values", `[${"{},".repeat(jsonLimits.values)}{}]`, "values"],
    ["strings", `[${'"",'.repeat(jsonLimits.values)}""]`, "values"],
    ["numbers", `[${"1,".repeat(jsonLimits.numbers)}1]`, "numbers"],
    [
      "keys",
      `{${Array.from({ length: jsonLimits.keys + 1 }, (_, i) => `"${i}":1`).join()}}`,
      "keys",
    ],
  ])("bounds %s", (_, text, words) => {
    let error: unknown;
    try {
      parse(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ tooLarge: true, message: expect.stringContaining(words) });
  });

  it("takes a text at its limits", () => {
    const depth = jsonLimits.depth;
    expect(() => parse("[".repeat(depth) + "]".repeat(depth))).not.toThrow();
    expect((parse(`[${"1,".repeat(jsonLimits.numbers - 1)}1]`) as number[]).length).toBe(
      jsonLimits.numbers,
    );
  });
});
