import { describe, expect, it } from "vitest";
import { probeDevices } from "../../src/encoders/probe-devices.js";
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
});
