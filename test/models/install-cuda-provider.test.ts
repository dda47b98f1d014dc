import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CudaRelease } from "../../src/gpu/cuda-provider.js";
import { installCudaProvider } from "../../src/models/install-cuda-provider.js";

const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A small wheel, written by Python's zipfile. */
const archive = Buffer.from(
  "UEsDBBQAAAAIAAAAIVx8zGM8DAAAAIwAAAAdAAAAb25ueHJ1bnRpbWUvY2FwaS9saWJzaGFyZWQuc28rzkgsSk1RKB4MFABQSwMEFAAAAAgAAAAhXAAAAAACAAAAAAAAABcAAABvbm54cnVudGltZS9fX2luaXRfXy5weQMAUEsDBBQAAAAIAAAAIVwEO2LGCgAAAMgAAAAbAAAAb25ueHJ1bnRpbWUvY2FwaS9saWJjdWRhLnNvSy5NSVRIHvoEAFBLAQIUAxQAAAAIAAAAIVx8zGM8DAAAAIwAAAAdAAAAAAAAAAAAAACAAQAAAABvbm54cnVudGltZS9jYXBpL2xpYnNoYXJlZC5zb1BLAQIUAxQAAAAIAAAAIVwAAAAAAgAAAAAAAAAXAAAAAAAAAAAAAACAAUcAAABvbm54cnVudGltZS9fX2luaXRfXy5weVBLAQIUAxQAAAAIAAAAIVwEO2LGCgAAAMgAAAAbAAAAAAAAAAAAAACAAX4AAABvbm54cnVudGltZS9jYXBpL2xpYmN1ZGEuc29QSwUGAAAAAAMAAwDZAAAAwQAAAAAA",
  "base64",
);
const contents = { "libshared.so": "shared ".repeat(20), "libcuda.so": "cuda ".repeat(40) };

describe("installing the CUDA provider", () => {
  let folder: string;
  let cacheDir: string;
  let server: Server;
  let requests: (string | undefined)[];
  let hang: boolean;
  const notices: string[] = [];
  const progress = {
    begin() {},
    file() {},
    bytes() {},
    done() {},
    notice: (text: string) => void notices.push(text),
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "crossmodal-gpu-"));
    cacheDir = mkdtempSync(join(tmpdir(), "crossmodal-gpu-"));
    requests = [];
    hang = false;
    server = createServer((request, response) => {
      requests.push(request.headers.range);
      const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, {
        "content-length": archive.length - start,
        "content-range": `bytes ${start}-${archive.length - 1}/${archive.length}`,
      });
      if (!hang) return response.end(archive.subarray(start));
      response.write(archive.subarray(0, 100));
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const release = (change: Partial<CudaRelease> = {}): CudaRelease => ({
    runtime: "1.30.0",
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    path: "/a.whl",
    archive: { name: "a.whl", size: archive.length, sha256: sha256(archive) },
    libraries: Object.entries(contents).map(([name, text]) => ({
      entry: `onnxruntime/capi/${name}`,
      name,
      size: text.length,
      sha256: sha256(text),
    })),
    ...change,
  });
  const install = (change: Partial<Parameters<typeof installCudaProvider>[0]> = {}) =>
    installCudaProvider({
      folder,
      cacheDir,
      network: {},
      runtime: "1.30.0",
      progress,
      release: release(),
      ...change,
    });
  const installed = () =>
    Object.fromEntries(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
    );

  it("puts the libraries in their place, and does nothing the second time", async () => {
    expect(await install()).toBe(true);
    expect(installed()).toEqual(contents);
    expect(readdirSync(cacheDir).filter((name) => name.includes("whl"))).toEqual([]);
    expect(await install()).toBe(false);
    expect(requests).toHaveLength(1);
  });

  it("goes on where a download was interrupted", async () => {
    hang = true;
    const interrupt = new AbortController();
    const bytes = (here: number) => (here === 100 ? interrupt.abort() : undefined);
    const interrupted = install({ progress: { ...progress, bytes }, signal: interrupt.signal });
    await expect(interrupted).rejects.toMatchObject({ code: "cancelled" });
    hang = false;
    expect(await install()).toBe(true);
    expect(installed()).toEqual(contents);
    expect(requests).toEqual([undefined, "bytes=100-"]);
  });

  it("replaces a library that is not the right one", async () => {
    writeFileSync(join(folder, "libcuda.so"), "cuda ".repeat(39).padEnd(200, "x"));
    expect(await install()).toBe(true);
    expect(installed()).toEqual(contents);
  });

  it("takes a copy of the archive, and asks nobody", async () => {
    const from = join(cacheDir, "copy.whl");
    writeFileSync(from, archive);
    expect(await install({ from })).toBe(true);
    expect(installed()).toEqual(contents);
    expect(requests).toEqual([]);
    expect(readdirSync(cacheDir)).toContain("copy.whl");
  });

  it("refuses another file, and a file that is not there", async () => {
    const from = join(cacheDir, "other.whl");
    writeFileSync(from, Buffer.alloc(archive.length));
    await expect(install({ from })).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("expected the sha256"),
    });
    await expect(install({ from: join(cacheDir, "nowhere") })).rejects.toMatchObject({
      code: "invalid_input",
      param: "from",
    });
    expect(installed()).toEqual({});
  });

  it("gives no library its name when the archive holds another one", async () => {
    const libraries = release().libraries.map((library) => ({ ...library, sha256: sha256("") }));
    await expect(install({ release: release({ libraries }) })).rejects.toThrow(
      /libshared\.so: expected the sha256/,
    );
    expect(installed()).toEqual({});
  });

  it("refuses another version of ONNX Runtime", async () => {
    await expect(install({ runtime: "1.31.0" })).rejects.toThrow(
      "The CUDA provider is for ONNX Runtime 1.30.0, but this is 1.31.0",
    );
  });
});
