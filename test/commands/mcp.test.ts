import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProgram } from "../../src/command-line.js";
import { call, eras, newClient } from "../helpers/mcp.js";
import { type ServedProcess, serve } from "../helpers/serve.js";

let served: ServedProcess;
beforeAll(async () => {
  served = await serve();
});
afterAll(async () => {
  served.child.kill();
  await served.ended;
});

const command = ["--import", "tsx", "src/cli.ts", "mcp", "--device", "cpu"];
const inProcess = () => ["--data-dir", mkdtempSync(join(tmpdir(), "crossmodal-mcp-"))];

function start(args: readonly string[]) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...command, ...args],
    stderr: "pipe",
  });
  let errors = "";
  transport.stderr?.on("data", (chunk) => {
    errors += chunk;
  });
  return { transport, errors: () => errors };
}

describe("crossmodal mcp", () => {
  it.each([
    ["by itself", inProcess],
    ["with a server", () => ["--url", served.url]],
  ])("adds local files, finds and hears them, %s", async (_, args) => {
    const { transport, errors } = start([
      ...args(),
      "--allow-dir",
      "fixtures/images",
      "fixtures/audio",
    ]);
    const client = newClient();
    await client.connect(transport);
    const { tools } = await client.listTools();
    const { properties } = tools.find(({ name }) => name === "classify")!.inputSchema;
    expect((properties as { file: { description: string } }).file.description).toContain(
      resolve("fixtures/audio"),
    );
    const heard = await call(client, "classify", {
      file: "dog.mp3",
      labels: ["rain", "dog barking"],
    });
    expect(heard.answer.scores[0].label).toBe("dog barking");
    for (const file of ["cat.jpg", resolve("fixtures/images/rocket.avif")]) {
      const added = await call(client, "add", { collection: "files", file, create: true });
      expect(added.text).toContain('"stored"');
    }
    const { answer, media } = await call(client, "search", { collection: "files", text: "a cat" });
    expect(answer.results[0]).toMatchObject({
      id: "cat.jpg",
      source: resolve("fixtures/images/cat.jpg"),
    });
    expect(media[1]).toMatchObject({ type: "image", mimeType: "image/webp" });
    expect(media[2]).toMatchObject({
      type: "resource_link",
      uri: pathToFileURL(resolve("fixtures/images/cat.jpg")).href,
      mimeType: "image/jpeg",
      size: statSync("fixtures/images/cat.jpg").size,
    });
    for (const file of ["dog.mp3", "rain.ogg"])
      await call(client, "add", {
        collection: "sounds",
        file,
        create: true,
        model: "starter-clap",
      });
    const barking = await call(client, "search", {
      collection: "sounds",
      text: "a dog barks",
      previews: 1,
    });
    expect(barking.media).toEqual([
      { type: "text", text: "dog.mp3:" },
      {
        type: "audio",
        data: readFileSync("fixtures/audio/dog.mp3").toString("base64"),
        mimeType: "audio/mpeg",
      },
      expect.objectContaining({ type: "resource_link", name: "dog.mp3" }),
    ]);
    const outside = await call(client, "embed", { file: "../../package.json" });
    expect(outside.text).toMatch(/^not_found: There is no file "\.\.\/\.\.\/package\.json"/);
    await client.close();
    expect(errors()).toBe("");
  });

  it.each(eras)("answers the handshake before its models are loaded (%s)", async (era) => {
    const { transport } = start(inProcess());
    const client = newClient(era);
    await client.connect(transport);
    expect((await call(client, "embed", { text: "a cat" })).answer.dimensions).toBe(384);
    await client.close();
  });

  it("ends when its input ends, and says what fails at the start", async () => {
    const { transport, errors } = start([...inProcess(), "--models", "none"]);
    const ended = new Promise<void>((resolve) => {
      transport.onclose = resolve;
    });
    await transport.start();
    await ended;
    expect(errors()).toContain('"none"');
    const folder = start([...inProcess(), "--allow-dir", "package.json"]);
    const closed = new Promise<void>((resolve) => {
      folder.transport.onclose = resolve;
    });
    await folder.transport.start();
    await closed;
    expect(folder.errors()).toContain('Expected a folder to allow but received "package.json"');
  });

  it("tells a tool's caller that no server answers", async () => {
    const { transport } = start(["--url", "http://127.0.0.1:9"]);
    const client = newClient();
    await client.connect(transport);
    const { result, text } = await call(client, "list", {});
    expect(result.isError).toBe(true);
    expect(text).toContain("No server answers at http://127.0.0.1:9");
    await client.close();
  });
});

describe("docs/mcp.md", () => {
  const page = readFileSync("docs/mcp.md", "utf8");

  it("has configurations whose flags exist", () => {
    const mcp = createProgram().commands.find((command) => command.name() === "mcp")!;
    const flags = mcp.options.map(({ long }) => long);
    const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) =>
      JSON.parse(text),
    );
    expect(blocks).toHaveLength(3);
    for (const { mcpServers } of blocks) {
      const { args = [] } = mcpServers.crossmodal as { args?: string[] };
      for (const arg of args.filter((one) => one.startsWith("--"))) expect(flags).toContain(arg);
    }
  });

  it("names every tool", async () => {
    const { transport } = start(["--url", served.url]);
    const client = newClient();
    await client.connect(transport);
    const { tools } = await client.listTools();
    await client.close();
    const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual(tools.map(({ name }) => name).sort());
  });
});
