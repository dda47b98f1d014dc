import { describe, expect, it } from "vitest";
import { isNdjson, type Line, readLines, regroup } from "../../src/routes/ndjson.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const bodyOf = (...chunks: (string | Uint8Array)[]) =>
  ReadableStream.from(chunks.map((chunk) => (typeof chunk === "string" ? bytes(chunk) : chunk)));
const never = new AbortController().signal;

async function linesOf(
  body: ReadableStream<Uint8Array>,
  maxBytes = 100,
): Promise<[number, unknown][]> {
  const lines: [number, unknown][] = [];
  for await (const group of readLines(body, { maxBytes, signal: never })) {
    for (const { number, value, error } of group)
      lines.push([number, error === undefined ? value : error.code]);
  }
  return lines;
}

describe("readLines", () => {
  it("gives the same lines however the bytes are cut into chunks", async () => {
    const text = '{"a":"ä€😀"}\r\n\n[1,2]\n  \n"last"';
    const expected = [
      [1, { a: "ä€😀" }],
      [3, [1, 2]],
      [5, "last"],
    ];
    expect(await linesOf(bodyOf(text))).toEqual(expected);
    const single = Array.from(bytes(text), (byte) => Uint8Array.of(byte));
    expect(await linesOf(bodyOf(...single))).toEqual(expected);
  });

  it("counts a line that is too long, not JSON or not UTF-8 as one and reads on", async () => {
    const tooLong = `"${"x".repeat(100)}"`;
    const lines = await linesOf(
      bodyOf(`${tooLong}\n1\n{"a":\n`, Uint8Array.of(0x22, 0xff, 0x22, 0x0a), "2\n", tooLong),
    );
    expect(lines).toEqual([
      [1, "too_large"],
      [2, 1],
      [3, "invalid_input"],
      [4, "invalid_input"],
      [5, 2],
      [6, "too_large"],
    ]);
  });

  it("is empty for an empty body and one of blank lines", async () => {
    expect(await linesOf(bodyOf())).toEqual([]);
    expect(await linesOf(bodyOf("\n\n \n"))).toEqual([]);
  });

  it("gives what came before the body breaks off or is given up, and then throws why", async () => {
    for (const end of ["break", "abort"]) {
      const stop = new AbortController();
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(bytes('1\n{"cut"')),
        pull: (controller) =>
          end === "break" ? controller.error(new Error("gone")) : stop.abort(new Error("gone")),
      });
      const seen: unknown[] = [];
      const read = async () => {
        for await (const lines of readLines(body, { maxBytes: 100, signal: stop.signal }))
          seen.push(...lines);
      };
      await expect(read()).rejects.toThrow("gone");
      expect(seen.length).toBeLessThanOrEqual(1);
    }
  });
});

describe("the room that readLines takes", () => {
  it.each([1, 3, 7, 1000])("is what is kept of the lines, in chunks of %i bytes", async (size) => {
    const text = `[1]\n\n  \n"${"x".repeat(50)}"\nno json\n[2]\n${"y".repeat(40)}`;
    const bytes = Buffer.from(text);
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    let held = 0;
    let most = 0;
    const room = {
      take: async (count: number) => {
        held += count;
        most = Math.max(most, held);
      },
      give: (count: number) => {
        held -= count;
      },
    };
    const options = { maxBytes: 45, signal: new AbortController().signal, room };
    let lines = 0;
    for await (const group of readLines(ReadableStream.from(chunks), options)) {
      lines += group.length;
      for (const line of group) room.give(line.bytes);
    }
    expect(lines).toBe(5);
    // The last line ends with the body: what was kept of it is given back with the whole stream.
    expect(held).toBe(40);
    // With the values of three lines: 64 bytes each, and 8 for a number of an array
    expect(most).toBeLessThanOrEqual(45 + size + 6 + 3 * 72);
  });
});

describe("regroup", () => {
  const line = (number: number, size = 1): Line => ({ number, bytes: size, value: number });

  it("joins lines that came while the consumer was busy, up to its limits", async () => {
    let read = 0;
    const source = (async function* () {
      while (read < 10) yield [line(++read, 3)];
    })();
    const groups = regroup(source, { lines: 4, bytes: 10 });
    const sizes: number[] = [];
    for await (const group of groups) {
      sizes.push(group.length);
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(read).toBeLessThanOrEqual(sizes.reduce((sum, size) => sum + size) + 4);
    }
    expect(sizes.reduce((sum, size) => sum + size)).toBe(10);
    expect(Math.max(...sizes)).toBe(3); // a fourth would make it 12 bytes
  });

  it("passes on a line larger than a group alone, and a single line at once", async () => {
    let more: (lines: Line[]) => void = () => {};
    const source = (async function* () {
      while (true) {
        yield await new Promise<Line[]>((resolve) => {
          more = resolve;
        });
      }
    })();
    const groups = regroup(source, { lines: 4, bytes: 10 });
    for (const lines of [[line(1, 50)], [line(2)]]) {
      const next = groups.next();
      await new Promise((resolve) => setImmediate(resolve));
      more(lines);
      expect((await next).value).toEqual(lines);
    }
  });
});

describe("isNdjson", () => {
  it("knows the names that lines of JSON go by", () => {
    for (const type of [
      "application/x-ndjson",
      "application/ndjson; charset=utf-8",
      "application/jsonl",
    ]) {
      expect(isNdjson(type)).toBe(true);
    }
    for (const type of [undefined, "application/json", "text/plain", "application/ndjsonx"]) {
      expect(isNdjson(type)).toBe(false);
    }
  });
});
