import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { fastImagePixels } from "../../src/encoders/preprocess/image.js";
import type { Log } from "../../src/log.js";
import { ffmpegVersion } from "../../src/media/audio/ffmpeg.js";
import { type DecodingPoolOptions, startDecodingPool } from "../../src/media/decoding-pool.js";
import { decodeImage } from "../../src/media/image/decode-image.js";
import type { Media } from "../../src/media/media.js";
import { lockSupport } from "../../src/sandbox/support.js";
import { fixture } from "../helpers/fixtures.js";

const limits = { maxPixels: 1e8 };
const cat = fixture("images/cat.jpg");
const spec = JSON.parse(readFileSync("models/starter-clip/manifest.json", "utf8")).towers.image
  .preprocess;
const entry = new URL("./faulty-decoder.js", import.meta.url);
const faulty = (text: string) => new TextEncoder().encode(text);

let media: Media;
const start = (options: DecodingPoolOptions = {}) => {
  media = startDecodingPool({ processes: 1, maxSeconds: 1, entry, ...options });
  return media;
};
afterEach(() => media.close());

/** Processes of this test's pools that have not ended. */
const decoders = (parent = process.pid) =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [state, ppid] = fieldsOf(pid);
        const command = readFileSync(`/proc/${pid}/cmdline`, "latin1");
        return Number(ppid) === parent && state !== "Z" && command.includes("faulty-decoder");
      } catch {
        return false;
      }
    })
    .map(Number);
const fieldsOf = (pid: number | string) => {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
};
const isAlive = (pid: number) => existsSync(`/proc/${pid}`) && fieldsOf(pid)[0] !== "Z";

describe("a decoding pool", () => {
  it("makes the tensors that the functions make, from media it holds and any other", async () => {
    start();
    const held = await media.decodeImage(cat, limits);
    const decoded = await decodeImage(cat, limits);
    expect(held).toMatchObject({ width: decoded.width, height: decoded.height });
    expect(held.decodedBytes).toBe(decoded.rgb.byteLength);
    const expected = Uint8Array.from(await fastImagePixels(decoded, spec));
    const fast = { ...spec, resize: { ...spec.resize, method: "fast" } };
    expect(await media.imagePixels(held, fast)).toEqual(expected);
    expect(await media.imagePixels(decoded, fast)).toEqual(expected);
  });

  it("gives the windows of a sound in parts as it gives them all", async () => {
    start();
    const audio = JSON.parse(readFileSync("models/starter-clap/manifest.json", "utf8")).towers.audio
      .preprocess;
    const sound = await media.decodeAudio(fixture("audio/scene.opus"), { maxSeconds: 60 });
    const all = await media.audioTensors(sound, audio);
    expect(all.total).toBe(all.windows.length);
    const first = await media.audioTensors(sound, audio, { range: { start: 0, count: 2 } });
    const rest = await media.audioTensors(sound, audio, { range: { start: 2, count: 1000 } });
    expect(first.windows.length).toBe(2);
    expect([...first.windows, ...rest.windows]).toEqual(all.windows);
  });

  it("decodes again what was disposed of or lay in a process that ended", async () => {
    start();
    const held = await media.decodeImage(cat, limits);
    const pixels = await media.imagePixels(held, spec);
    held.dispose();
    expect(await media.imagePixels(held, spec)).toEqual(pixels);
    await expect(media.decodeImage(faulty("kill 0"), limits)).rejects.toThrow(/crashed/);
    expect(await media.imagePixels(held, spec)).toEqual(pixels);
  });

  it.each([
    ["abort", "undecodable_media", /crashed/],
    ["kill", "undecodable_media", /crashed/],
    ["spin", "too_large", /maxDecodeSeconds/],
    ["hang", "undecodable_media", /hung/],
    ["grow", "too_large", /maxDecodeBytes/],
  ])(
    "ends the process of a decoder that does %s, at no cost to others",
    async (fault, code, message) => {
      start({ maxBytes: 2 ** 28, maxSeconds: fault === "grow" ? 60 : 1 });
      const held = await media.decodeImage(cat, limits);
      const results = await Promise.allSettled([
        media.decodeImage(faulty(`${fault} 1`), limits),
        media.imagePixels(held, spec),
        media.decodeImage(cat, limits),
      ]);
      expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
      const [{ reason }] = results as [PromiseRejectedResult, unknown, unknown];
      expect(reason).toMatchObject({ code, param: "image" });
      expect(reason.message).toMatch(message);
    },
  );

  it("goes on beside decoders that hang, as many as there are", async () => {
    start({ processes: 2, maxSeconds: 60 });
    const gone = new AbortController();
    const stuck = [1, 2].map((n) =>
      media.decodeImage(faulty(`hang ${n}`), limits, { signal: gone.signal }),
    );
    const ended = Promise.allSettled(stuck);
    const held = await media.decodeImage(cat, limits);
    expect(held).toMatchObject({ width: 451 });
    gone.abort();
    await ended;
  });

  it("keeps a process that replaced a hanging one for as long as it holds media", async () => {
    start({ maxSeconds: 60 });
    const gone = new AbortController();
    const ended = Promise.allSettled([
      media.decodeImage(faulty("hang 1"), limits, { signal: gone.signal }),
    ]);
    const held = await media.decodeImage(cat, limits);
    expect(await media.imagePixels(held, spec)).toHaveLength(3 * 224 * 224);
    gone.abort();
    await ended;
  });

  it("refuses a file that ended two decoders, and no other of its length", async () => {
    start();
    for (let i = 0; i < 2; i++)
      await expect(media.decodeImage(faulty("abort 1"), limits)).rejects.toThrow(/crashed/);
    await expect(media.decodeImage(faulty("abort 1"), limits)).rejects.toThrow(/tried again/);
    await expect(media.decodeImage(faulty("abort 2"), limits)).rejects.toThrow(/crashed/);
  });

  it("believes no answer that the call did not ask for", async () => {
    start();
    await expect(media.decodeImage(faulty("lie 1"), limits)).rejects.toThrow(/crashed/);
  });

  it("blames no file for a bug that is caught", async () => {
    start();
    for (let i = 0; i < 3; i++)
      await expect(media.decodeImage(faulty("throw 1"), limits)).rejects.toThrow(/a bug/);
  });

  it("logs what a crash printed, shortened, and nothing that decoders print about files", async () => {
    const warn = vi.fn();
    start({ maxSeconds: 60, log: { warn } as unknown as Log });
    await expect(media.decodeImage(faulty("chatter 1"), limits)).rejects.toThrow(/crashed/);
    const [[fields, message]] = warn.mock.calls;
    expect(fields).toEqual({});
    expect(message).toMatch(/^The decoding process ended \(crashed\): x+ the last words/);
    expect(message).not.toContain("damaged frame");
    expect(message.length).toBeLessThan(2100);
  });

  it("gives a decoder nothing of the environment but what it needs", async () => {
    process.env.CROSSMODAL_API_KEYS = "secret-secret";
    start();
    const error = await media.decodeImage(faulty("environment"), limits).catch((e) => e);
    expect(error.message).toContain("PATH");
    expect(error.message).not.toContain("CROSSMODAL");
    delete process.env.CROSSMODAL_API_KEYS;
  });
});

const { landlock, seccomp } = lockSupport();

describe.runIf(landlock > 0 && seccomp)("the lock of a decoding pool", () => {
  const outcomes = async () => {
    const error = await media.decodeImage(faulty("locked"), limits).catch((e) => e);
    return JSON.parse(/{.*}/.exec(error.message)![0]);
  };

  it("keeps a decoder, and what it starts, from the network, files and the server", async () => {
    start({ sandbox: "required" });
    expect(await outcomes()).toEqual({
      connect: "EPERM",
      unixSocket: "EPERM",
      passwords: "EACCES",
      serverMemory: "EACCES",
      writeOutside: "EACCES",
      passwordsByChild: "failed",
      namespaceByChild: "failed",
      mode: "EPERM",
      signal: "EPERM",
      priority: "ERR_SYSTEM_ERROR",
      writeInside: "done",
      childRuns: "done",
    });
  });

  it("is what refuses: a decoder without it can do all of that", async () => {
    start({ sandbox: "off" });
    const found = await outcomes();
    expect(found).toMatchObject({ passwords: "done", serverMemory: "done", writeOutside: "done" });
    expect(found).toMatchObject({ mode: "done", signal: "done", priority: "done" });
    expect(found.connect).not.toBe("EPERM");
    rmSync("/var/tmp/crossmodal-outside", { force: true });
  });

  it("lets ffmpeg read what it is given", async () => {
    if ((await ffmpegVersion()) === undefined) return;
    start();
    const folder = mkdtempSync(join(tmpdir(), "crossmodal-test-"));
    const path = join(folder, "sound.m4a");
    const tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-c:a", "aac"];
    await promisify(execFile)("ffmpeg", ["-v", "error", ...tone, path]);
    const sound = await media.decodeAudio(readFileSync(path), { maxSeconds: 60 });
    expect(sound.seconds).toBeCloseTo(1, 1);
    rmSync(folder, { recursive: true });
  });

  it("leaves no folder behind", async () => {
    const folders = () =>
      readdirSync(tmpdir()).filter((name) => name.startsWith("crossmodal-decoder-"));
    const before = folders();
    start();
    await media.decodeImage(cat, limits);
    await media.close();
    await expect.poll(() => folders().filter((name) => !before.includes(name))).toEqual([]);
  });
});

describe.skipIf(process.platform !== "linux")("the processes of a decoding pool", () => {
  it("are ended when the client of a long call has gone, with what they started", async () => {
    start({ maxSeconds: 600 });
    const gone = new AbortController();
    const call = media.decodeImage(faulty("child"), limits, { signal: gone.signal });
    call.catch(() => undefined);
    let sleeper = 0;
    await expect
      .poll(() => {
        const [pid] = decoders();
        sleeper = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim());
        return sleeper;
      })
      .toBeGreaterThan(0);
    gone.abort(new Error("the client has gone"));
    await expect(call).rejects.toThrow("the client has gone");
    await expect.poll(decoders).toEqual([]);
    await expect.poll(() => isAlive(sleeper)).toBe(false);
  });

  it("give way to the server", async () => {
    start();
    await media.decodeImage(cat, limits);
    const [pid] = decoders();
    const own = Number(fieldsOf(process.pid)[16]);
    expect(Number(fieldsOf(pid)[16])).toBe(Math.min(19, own + 10));
    if (!existsSync("/proc/self/autogroup")) return;
    // A process can be in no group at all, and then has no niceness of its group.
    const group = (id: number) =>
      /nice (-?\d+)/.exec(readFileSync(`/proc/${id}/autogroup`, "latin1"))?.[1];
    if (group(pid) !== undefined)
      expect(Number(group(pid))).toBe(Math.min(19, Number(group(process.pid) ?? 0) + 10));
  });

  it("end when the pool is closed, although one hangs", async () => {
    start();
    const call = media.decodeImage(faulty("spin 1"), limits);
    call.catch(() => undefined);
    await expect.poll(() => decoders().length).toBe(1);
    await media.close();
    expect(decoders()).toEqual([]);
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
  });

  it.each(["SIGKILL", "SIGTERM"] as const)(
    "end with a parent that gets %s, although they hang",
    async (signal) => {
      start();
      const script = fileURLToPath(new URL("./hanging-parent.ts", import.meta.url));
      const parent = spawn(process.execPath, ["--import", "tsx", script], {
        stdio: ["ignore", "inherit", "inherit"],
      });
      onTestFinished(() => void parent.kill("SIGKILL"));
      await expect.poll(() => decoders(parent.pid).length).toBe(2);
      const pids = decoders(parent.pid);
      // Under way: they have used processor time, more than the start takes.
      await expect.poll(() => pids.every((pid) => Number(fieldsOf(pid)[11]) > 200)).toBe(true);
      parent.kill(signal);
      await expect.poll(() => isAlive(parent.pid!)).toBe(false);
      await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    },
  );
});
