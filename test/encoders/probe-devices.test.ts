import { describe, expect, it } from "vitest";
import { probe, probeDevices } from "../../src/encoders/probe-devices.js";
import { openSession } from "../../src/encoders/session.js";
import { goldenPath } from "../helpers/golden.js";

describe("probeDevices", () => {
  it("tells the same of a device as opening a model on it does", async () => {
    const { runtime, devices } = await probeDevices();
    expect(runtime).toBe("1.30.0");
    expect(devices.map(({ device }) => device)).toEqual(["cpu", "cuda", "webgpu"]);
    expect(devices[0]).toEqual({ device: "cpu", available: true });
    for (const { device, available, reason } of devices) {
      const session = await openSession({
        model: goldenPath("tiny-clip/onnx/vision_model.onnx"),
        device,
      }).catch((error) => {
        expect(available, `${device}: ${error.message}`).toBe(false);
        expect(error).toMatchObject({ code: "device_unavailable", param: "device" });
        // What to install, and no path of ONNX Runtime's source.
        expect(reason).toMatch(device === "cuda" ? /CUDA/ : /Vulkan on Linux/);
        expect(error.message).not.toMatch(/\/onnxruntime_src/);
      });
      if (session === undefined) continue;
      expect(available).toBe(true);
      expect(session.info.provider).toBe(device);
      await session.close();
    }
  });

  it("gives up a driver that hangs, whatever it has started, and says so", async () => {
    // Its child keeps stdout open and outlives it, as a process does that no signal ends.
    const hangs = `
      const { spawn } = require("node:child_process");
      const args = ["-e", "setTimeout(() => {}, 5000)"];
      spawn(process.execPath, args, { stdio: "inherit", detached: true });
      for (;;) ;`;
    const reason = "did not answer within 0.5 s: its driver hangs, or the machine is busy";
    expect(await probe(["-e", hangs], 500)).toEqual({
      available: false,
      reason: `the process that tried it ${reason}`,
    });
  }, 10_000);

  it("says how a process ended that a driver took with it, and reads past a driver's lines", async () => {
    const of = (code: string) => probe(["-e", code]);
    expect((await of("process.abort()")).reason).toContain("was ended by SIGABRT");
    expect((await of("process.exit(7)")).reason).toContain("ended with 7");
    const chatty = `console.log("NVRM: hello"); process.stdout.write('{"available":true}')`;
    expect(await of(chatty)).toEqual({ available: true });
    const leaving = `console.log('\\n{"available":true}'); process.stdout.write("NVRM: {bye}")`;
    expect(await of(leaving)).toEqual({ available: true });
    const silent = {
      available: false,
      reason: "the process that tried it ended without an answer",
    };
    expect(await of("")).toEqual(silent);
    expect(await of(`console.log('NVRM\\n5\\nnull\\n{"gpu":0}')`)).toEqual(silent);
  });
});
