import { spawn } from "node:child_process";
import { decodeAudio } from "../../src/media/audio/decode-audio.js";
import { decodeImage } from "../../src/media/image/decode-image.js";
import { serveDecoding } from "../../src/media/serve-decoding.js";

// A decoding process whose decoder has every fault that one can have, by the text that a "picture"
// begins with.

serveDecoding({
  async decodeImage(bytes, limits) {
    const fault = Buffer.from(bytes).toString("latin1").split(" ")[0];
    if (fault === "spin") for (;;);
    if (fault === "hang") await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
    if (fault === "abort") process.abort();
    if (fault === "chatter") {
      for (let i = 0; i < 1000; i++) console.error("a damaged frame");
      process.stderr.write(`${"x".repeat(5000)} the last words`, () => process.abort());
      await new Promise(() => undefined);
    }
    if (fault === "kill") process.kill(process.pid, "SIGKILL");
    if (fault === "throw") throw new TypeError("a bug");
    if (fault === "lie") return { width: 1e6, height: 1e6, rgb: new Uint8Array(3) };
    if (fault === "grow") {
      const kept: Buffer[] = [];
      for (;;) {
        kept.push(Buffer.alloc(2 ** 24, 1));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    if (fault === "child") {
      spawn("sleep", ["1000"], { stdio: "ignore" });
      await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
    }
    if (fault === "environment") {
      throw new TypeError(JSON.stringify(Object.keys(process.env)));
    }
    return decodeImage(bytes, limits);
  },
  decodeAudio,
});
