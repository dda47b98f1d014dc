import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { withFiles } from "../../src/commands/lines-with-files.js";

async function read(...pieces: string[]): Promise<unknown[]> {
  const source = async function* () {
    for (const piece of pieces) yield Buffer.from(piece);
  };
  const out: Uint8Array[] = [];
  for await (const piece of withFiles(source())) out.push(piece);
  const lines = Buffer.concat(out).toString("utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}

it("puts the bytes of files into lines that name them, and leaves the others as they are", async () => {
  const path = "fixtures/images/cat.jpg";
  const bytes = readFileSync(path);
  const content_hash = createHash("sha256").update(bytes).digest("hex");
  const file = { source: resolve(path), content_hash, image: bytes.toString("base64") };
  expect(
    await read('{"id":"a","text":"x"}\n', `{"file":"${path}"}\n{"file":"${path}","id":"b"}\n`),
  ).toEqual([
    { id: "a", text: "x" },
    { ...file, id: path },
    { ...file, id: "b" },
  ]);
});

it("names the line whose file cannot be read", async () => {
  const lines = ['{"text":"a"}\n', '{"text":"b"}\n{"file":"gone.jpg"}\n'];
  await expect(read(...lines)).rejects.toThrow("line 3: gone.jpg: no such file");
  await expect(read('{"file":3}\n')).rejects.toThrow('line 1: expected a path as "file"');
});
