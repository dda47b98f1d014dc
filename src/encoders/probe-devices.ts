import { AppError } from "../errors.js";
import { openSession } from "./session.js";

/**
 * The sums of the four 2 x 2 squares of a float32 x [1, 1, 3, 3], as an ONNX file (IR 8, opset 17).
 * A convolution, since cuDNN is loaded for the first one only.
 */
const squareSums = Buffer.from(
  "CAg6bwoPCgF4CgF3EgF5IgRDb252EgFjKh8IAQgBCAIIAhABQgF3ShAAAIA/AACAPwAAgD8AAIA/WhsKAXgSFgoUCAESEAoCCAEKAggBCgIIAwoCCANiGwoBeRIWChQIARIQCgIIAQoCCAEKAggCCgIIAkIECgAQEQ==",
  "base64",
);

export interface DeviceReport {
  device: "cpu" | "cuda" | "webgpu";
  available: boolean;
  /** Why it is unavailable, and what to install. */
  reason?: string;
}

/** Which devices can really run a graph here: each is tried with a small one. */
export async function probeDevices(): Promise<{ runtime: string; devices: DeviceReport[] }> {
  let runtime = "unknown";
  const devices: DeviceReport[] = [];
  for (const device of ["cpu", "cuda", "webgpu"] as const) {
    try {
      const session = await openSession({ model: squareSums, device });
      try {
        runtime = session.info.runtime;
        const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
        const { y } = await session.run({ x: { type: "float32", dims: [1, 1, 3, 3], data: x } });
        // Whole numbers this small are exact in every format that a card computes in.
        const found = [...y.data].join(", ");
        devices.push(
          found === "12, 16, 24, 28"
            ? { device, available: true }
            : { device, available: false, reason: `a convolution gave ${found}` },
        );
      } finally {
        await session.close();
      }
    } catch (error) {
      const message = error instanceof AppError ? error.message : "it failed while running";
      const reason = message.replace(`The device "${device}" cannot be used: `, "");
      devices.push({ device, available: false, reason });
    }
  }
  return { runtime, devices };
}
