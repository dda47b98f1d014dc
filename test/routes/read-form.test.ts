import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parametrized } from "../../src/routes/header-params.js";
import { readForm } from "../../src/routes/read-form.js";

const latin1 = (text: string) => Buffer.from(text, "latin1");

/** The fields of a body, which comes in chunks of `chunk` bytes. */
async function read(body: string | Uint8Array, { boundary = "XX", chunk = 1 << 16 } = {}) {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
  };
  const type = parametrized(`multipart/form-data; boundary="${boundary}"`);
  return Object.fromEntries(await readForm(chunks(), type!));
}

/** One part with the given headers and content. */
const part = (headers: string, content = "v") => `--XX\r\n${headers}\r\n\r\n${content}\r\n`;
const field = (disposition: string, content?: string) =>
  part(`Content-Disposition: form-data; ${disposition}`, content);
const end = "--XX--\r\n";
const file = new Uint8Array(Buffer.from("v"));

describe("readForm", () => {
  it.each([
    ["a browser and curl", 'name="a"; filename="cat.jpg"', file],
    [".NET", "name=a; filename=cat.jpg; filename*=utf-8''cat.jpg", file],
    [".NET without a file name", "name=a", "v"],
    ["filename* alone", "name=a; filename*=utf-8''k%C3%A4se.jpg", file],
    ["parameters in another order", 'filename="cat.jpg"; name="a"', file],
    ["no space after semicolons", 'name="a";filename="cat.jpg"', file],
    ["space around the equals sign", 'name = "a" ; filename = cat.jpg', file],
    ["escaped quotes", 'filename="my \\"cat\\"; name=b.jpg"; name="a"', file],
    ["a file name of another system", 'filename="C:\\cats\\cat.jpg"; name="a"', file],
    ["names in capitals", 'NAME="a"; FileName="x"', file],
    ["a semicolon at the end", 'name="a";', "v"],
    ["a name in UTF-8 in the file name", 'name="a"; filename="käse.jpg"', file],
  ])("reads the fields of %s", async (_, disposition, expected) => {
    const { a } = await read(field(disposition) + end);
    expect(a).toEqual([expected instanceof Uint8Array ? Buffer.from(expected) : expected]);
  });

  it.each([
    ["header names in any letters", part("CONTENT-DISPOSITION: FORM-DATA; name=a")],
    ["a header without space", part("Content-Disposition:form-data;name=a")],
    ["a folded header", part("Content-Disposition: form-data;\r\n name=a")],
    [
      "other headers before and after",
      part("X-A: b\r\nContent-Disposition: form-data; name=a\r\nContent-Length: 1"),
    ],
    ["a preamble", `This is a message in MIME format.\r\n${field("name=a")}`],
    ["an empty line before", `\r\n${field("name=a")}`],
    [
      "the charset of its text",
      part("Content-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=utf-8"),
    ],
    ["JSON", part("Content-Disposition: form-data; name=a\r\nContent-Type: application/json")],
  ])("reads a part with %s", async (_, body) => {
    expect(await read(body + end)).toEqual({ a: ["v"] });
    expect(await read(`${body}${end}epilogue\r\n--XX\r\nmore`)).toEqual({ a: ["v"] });
  });

  it("takes the boundary only at the beginning of a line", async () => {
    const content = "XX, --XX and\n--XX are no boundary; \r\n-XX and \r\n--X neither";
    expect(await read(field("name=a", content) + field("name=b") + end)).toEqual({
      a: [content],
      b: ["v"],
    });
  });

  it("takes what has a type but no file name for a file, unless it is text or JSON", async () => {
    const typed = (type: string) =>
      part(`Content-Disposition: form-data; name=a\r\nContent-Type: ${type}`);
    expect(await read(typed("image/jpeg") + end)).toEqual({ a: [Buffer.from("v")] });
    expect(await read(typed("application/octet-stream") + end)).toEqual({ a: [Buffer.from("v")] });
    expect(await read(typed("TEXT/plain") + end)).toEqual({ a: ["v"] });
  });

  it("leaves out a file that was not chosen", async () => {
    expect(await read(field('name="a"; filename=""', "") + field("name=b", "") + end)).toEqual({
      b: [""],
    });
  });

  it("decodes text by its part's charset, or the form's, or UTF-8", async () => {
    const cafe = latin1("caf\u00e9").toString("latin1");
    const own = part(
      "Content-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=ISO-8859-1",
      cafe,
    );
    expect(await read(latin1(own + end))).toEqual({ a: ["café"] });
    const all = `${field("name=a", cafe)}${field("name=_charset_", "iso-8859-1")}${end}`;
    expect(await read(latin1(all))).toEqual({ a: ["café"] });
    await expect(read(latin1(field("name=a", cafe) + end))).rejects.toMatchObject({
      code: "invalid_input",
      param: "a",
    });
    const unknown = part(
      "Content-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=x-klingon",
    );
    await expect(read(unknown + end)).rejects.toMatchObject({
      code: "unsupported_media",
      param: "a",
    });
  });

  it.each([
    ["without an end", field("name=a")],
    ["cut within a part", field("name=a").slice(0, -8)],
    ["cut within a header", "--XX\r\nContent-Disposition: form"],
    ["without a boundary in it", "name=a&b=c"],
    ["that is empty", ""],
    ["with a part without a name", field("filename=x") + end],
    ["with a part without Content-Disposition", part("Content-Type: text/plain") + end],
    ["with a part that is not form-data", part("Content-Disposition: attachment; name=a") + end],
    ["with a part without headers", `--XX\r\n\r\nv\r\n${end}`],
    ["with a name that does not end", part('Content-Disposition: form-data; name="a') + end],
    ["with two names", field("name=a; name=b") + end],
    ["of bare line feeds", field("name=a").replaceAll("\r\n", "\n") + end],
  ])("refuses a body %s", async (_, body) => {
    await expect(read(body)).rejects.toMatchObject({ code: "invalid_input" });
    await expect(read(body, { chunk: 1 })).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("takes a boundary as long as it can be searched for, and names a longer one", async () => {
    const boundary = "x".repeat(252);
    const body = `${field("name=a")}${end}`.replaceAll("XX", boundary);
    expect(await read(body, { boundary })).toEqual({ a: ["v"] });
    const longer = { boundary: `${boundary}x` };
    await expect(read(body, longer)).rejects.toMatchObject({
      code: "invalid_input",
      param: "content-type",
    });
  });

  it("refuses transfer encodings by name", async () => {
    const body =
      part("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64", "YQ==") +
      end;
    await expect(read(body)).rejects.toMatchObject({
      code: "unsupported_media",
      message: expect.stringContaining("base64"),
    });
  });

  it("gives every byte back, whatever the chunks and the boundary", async () => {
    const byte = fc.constantFrom(0x0d, 0x0a, 0x2d, 0x58, 0x00, 0xff, 0x41);
    const boundary = fc.constantFrom(
      "XX",
      "-",
      "----WebKitFormBoundaryX",
      "a'()+_,-./:=? b",
      "X".repeat(70),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(byte, { maxLength: 60 }), { maxLength: 4 }),
        boundary,
        fc.integer({ min: 1, max: 90 }),
        async (files, mark, chunk) => {
          const delimiter = Buffer.from(`\r\n--${mark}`);
          const contents = files
            .map((bytes) => Buffer.from(bytes))
            .filter((bytes) => !Buffer.concat([Buffer.from("\r\n"), bytes]).includes(delimiter));
          const body = Buffer.concat([
            ...contents.flatMap((bytes, i) => [
              Buffer.from(
                `--${mark}\r\nContent-Disposition: form-data; name="f${i}"; filename="x"\r\n\r\n`,
              ),
              bytes,
              Buffer.from("\r\n"),
            ]),
            Buffer.from(`--${mark}--\r\n`),
          ]);
          const expected = Object.fromEntries(contents.map((bytes, i) => [`f${i}`, [bytes]]));
          const found = await read(body, { boundary: mark, chunk });
          expect(
            Object.fromEntries(
              Object.entries(found).map(([name, [one]]) => [
                name,
                [Buffer.from(one as Uint8Array)],
              ]),
            ),
          ).toEqual(expected);
        },
      ),
    );
  });

  it("reads what FormData writes", async () => {
    const form = new FormData();
    form.append('na"me', "välue\r\nof two lines");
    form.append("file", new Blob([Uint8Array.of(0, 255, 13, 10)]), 'a "b".bin');
    const request = new Request("http://x/", { method: "POST", body: form });
    const type = parametrized(request.headers.get("content-type")!)!;
    const found = await readForm(request.body as unknown as AsyncIterable<Uint8Array>, type);
    expect(found.get("file")).toEqual([Buffer.from([0, 255, 13, 10])]);
    expect([...found.values()][0]).toEqual(["välue\r\nof two lines"]);
  });

  it("reads files of megabytes in large chunks", async () => {
    const large = Buffer.alloc(3_000_000, "0123456789\r\n--X");
    const head = "--XX\r\nContent-Disposition: form-data; name=a; filename=x\r\n\r\n";
    const body = Buffer.concat([
      Buffer.from(head),
      large,
      Buffer.from(`\r\n${field("name=b")}${end}`),
    ]);
    for (const chunk of [2 ** 16, 2 ** 22]) {
      const { a, b } = await read(body, { chunk });
      expect(Buffer.compare(a[0] as Uint8Array, large)).toBe(0);
      expect(b).toEqual(["v"]);
    }
  });

  it("bounds parts and headers", async () => {
    await expect(read(field("name=a").repeat(10_001) + end)).rejects.toMatchObject({
      code: "too_large",
    });
    const long = field(`name=a; filename="${"x".repeat(100_000)}"`) + end;
    await expect(read(long)).rejects.toMatchObject({ code: "invalid_input" });
  });
});
