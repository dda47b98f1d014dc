import { AppError } from "../errors.js";
import { openSession } from "./session.js";

/** y = 2 x for one float32 x [n], as an ONNX file (IR 8, opset 17). */
const doubling = Buffer.from(
  "CAg6UQoQCgF4CgN0d28SAXkiA011bBIIZG91YmxpbmcqDwgBEAFKBAAAAEBCA3R3b1oQCgF4EgsKCQgBEgUKAxIBbmIQCgF5EgsKCQgBEgUKAxIBbkICEBE=",
  "base64",
);

export interface DeviceReport {
  device: "cpu" | "cuda" | "webgpu";
  available: boolean;
  /** Why it cannot be had, and what to install. */
  reason?: string;
}

/** Which devices can really run a graph here: each is given a small one. */
export async function probeDevices(): Promise<{ runtime: string; devices: DeviceReport[] }> {
  let runtime = "unknown";
  const devices: DeviceReport[] = [];
  for (const device of ["cpu", "cuda", "webgpu"] as const) {
    try {
      const session = await openSession({ model: doubling, device });
      try {
        runtime = session.info.runtime;
        const { y } = await session.run({
          x: { type: "float32", dims: [2], data: Float32Array.of(1, 3) },
        });
        const right = y.data[0] === 2 && y.data[1] === 6;
        devices.push(
          right
            ? { device, available: true }
            : { device, available: false, reason: `2 x 3 is ${y.data[1]} there` },
        );
      } finally {
        await session.close();
      }
    } catch (error) {
      const message = error instanceof AppError ? error.message : "it failed while it ran";
      const reason = message.replace(`The device "${device}" cannot be used: `, "");
      devices.push({ device, available: false, reason });
    }
  }
  return { runtime, devices };
}
